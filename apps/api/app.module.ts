import { Module, type DynamicModule } from '@nestjs/common';
import { AccessModule } from '../../libs/auth/access/access.module.js';
import { composeFeatures } from '../../libs/platform/features/feature-modules.js';
import { HealthzController } from '../../libs/platform/operations/healthz.controller.js';
import { PlatformModule, type PlatformOptions } from '../../libs/platform/platform.module.js';
import { features } from '../features.js';

/** The monolith: every feature in one process, each reached by the others only through its ports. */
@Module({})
export class AppModule {
  static register(options: PlatformOptions): DynamicModule {
    return {
      module: AppModule,
      imports: [
        PlatformModule.register(options),
        AccessModule.register(),
        ...composeFeatures(features, 'service'),
      ],
      controllers: [HealthzController],
    };
  }
}
