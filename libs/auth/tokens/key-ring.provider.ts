import { join } from 'node:path';
import type { FactoryProvider } from '@nestjs/common';
import { PLATFORM_CONFIG, type PlatformConfig } from '../../platform/platform.config.js';
import { AUTH_CONFIG, type AuthConfig } from '../auth.config.js';
import { ensureDevelopmentKey } from './key-files.js';
import { KeyRing } from './key-ring.js';

type KeyConfig = Pick<AuthConfig, 'JWT_KEYS_DIR' | 'JWT_KEY_PUBLISH_SECONDS' | 'ACCESS_TOKEN_TTL_SECONDS'>;

export const keyRingProvider: FactoryProvider<KeyRing> = {
  provide: KeyRing,
  inject: [AUTH_CONFIG, PLATFORM_CONFIG],
  useFactory: async (config: KeyConfig, platform: Pick<PlatformConfig, 'DATA_DIR'>) =>
    new KeyRing({
      directory: config.JWT_KEYS_DIR ?? (await developmentFolder(platform)),
      publishSeconds: config.JWT_KEY_PUBLISH_SECONDS,
      tokenTtlSeconds: config.ACCESS_TOKEN_TTL_SECONDS,
    }),
};

async function developmentFolder({ DATA_DIR }: Pick<PlatformConfig, 'DATA_DIR'>): Promise<string> {
  const directory = join(DATA_DIR, 'keys');
  await ensureDevelopmentKey(directory);
  return directory;
}
