import { Module, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { CallContext } from '../../libs/platform/context/call-context.js';
import { composeFeatures } from '../../libs/platform/features/feature-modules.js';
import { Health } from '../../libs/platform/lifecycle/health.js';
import { NestLogger } from '../../libs/platform/logging/logger.js';
import { PlatformModule, type PlatformOptions } from '../../libs/platform/platform.module.js';
import { eventRoutes, features } from '../features.js';

/** A command gets what it needs from the application context. */
export type Command = (app: INestApplicationContext) => Promise<void>;

@Module({})
class CommandModule {}

/** Runs a command with the ports and cores of all features; without controllers, relays and the sweeper. */
export async function inContext(options: Omit<PlatformOptions, 'health'>, command: Command): Promise<void> {
  const module = {
    module: CommandModule,
    imports: [
      PlatformModule.register({ ...options, health: new Health() }),
      ...composeFeatures(features, 'command', eventRoutes),
    ],
  };
  const app = await NestFactory.createApplicationContext(module, {
    logger: new NestLogger(),
    abortOnError: false,
  });
  try {
    await new CallContext().run(() => command(app));
  } finally {
    await app.close();
  }
}
