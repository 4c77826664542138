import { Module, type DynamicModule } from '@nestjs/common';
import { AccessModule } from '../../libs/auth/access/access.module.js';
import type { FeatureDefinition } from '../../libs/platform/features/define-feature.js';
import { composeFeatures } from '../../libs/platform/features/feature-modules.js';
import { HealthzController } from '../../libs/platform/operations/healthz.controller.js';
import { PlatformModule, type PlatformOptions } from '../../libs/platform/platform.module.js';
import { eventRoutes, features as monolith } from '../features.js';

/** Which features a process has, and adapters for the ports of those that run elsewhere. */
export interface Composition {
  readonly features?: readonly FeatureDefinition[];
  readonly modules?: readonly DynamicModule[];
}

/** By default the monolith: every feature in one process, each reached by the others only through its ports. */
@Module({})
export class AppModule {
  static register(
    options: PlatformOptions,
    { features = monolith, modules = [] }: Composition = {},
  ): DynamicModule {
    return {
      module: AppModule,
      imports: [
        PlatformModule.register(options),
        ...modules,
        AccessModule.register(),
        ...composeFeatures(features, 'service', eventRoutes),
      ],
      controllers: [HealthzController],
    };
  }
}
