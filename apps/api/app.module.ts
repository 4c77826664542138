import { Module, type DynamicModule } from '@nestjs/common';
import { AccessModule } from '../../libs/auth/access/access.module.js';
import type { EventRoutes } from '../../libs/platform/events/event-routes.js';
import type { FeatureDefinition } from '../../libs/platform/features/define-feature.js';
import { composeFeatures } from '../../libs/platform/features/feature-modules.js';
import { HealthzController } from '../../libs/platform/operations/healthz.controller.js';
import { PlatformModule, type PlatformOptions } from '../../libs/platform/platform.module.js';
import { eventRoutes, features as monolith } from '../features.js';

/** Which features a process has, and adapters for the ports of those that run elsewhere. */
export interface Composition {
  readonly features?: readonly FeatureDefinition[];
  readonly modules?: readonly DynamicModule[];
  /** The event consumers of all apps. Default: those of the product's features. */
  readonly routes?: EventRoutes;
}

/** By default the monolith: every feature in one process, each reached by the others only through its ports. */
@Module({})
export class AppModule {
  static register(
    options: PlatformOptions,
    { features = monolith, modules = [], routes = eventRoutes }: Composition = {},
  ): DynamicModule {
    return {
      module: AppModule,
      imports: [
        PlatformModule.register(options),
        ...modules,
        AccessModule.register(),
        ...composeFeatures(features, 'service', routes),
      ],
      controllers: [HealthzController],
    };
  }
}
