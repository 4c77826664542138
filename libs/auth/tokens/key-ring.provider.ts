import { join } from 'node:path';
import type { FactoryProvider } from '@nestjs/common';
import { CONFIG } from '../../platform/config/config.token.js';
import type { ProcessConfig } from '../../platform/config/process.config.js';
import type { AuthConfig } from '../auth.config.js';
import { ensureDevelopmentKey } from './key-files.js';
import { KeyRing } from './key-ring.js';

type KeyConfig = Pick<ProcessConfig, 'DATA_DIR'> &
  Pick<AuthConfig, 'JWT_KEYS_DIR' | 'JWT_KEY_PUBLISH_SECONDS' | 'ACCESS_TOKEN_TTL_SECONDS'>;

export const keyRingProvider: FactoryProvider<KeyRing> = {
  provide: KeyRing,
  inject: [CONFIG],
  useFactory: async (config: KeyConfig) =>
    new KeyRing({
      directory: config.JWT_KEYS_DIR ?? (await developmentFolder(config)),
      publishSeconds: config.JWT_KEY_PUBLISH_SECONDS,
      tokenTtlSeconds: config.ACCESS_TOKEN_TTL_SECONDS,
    }),
};

async function developmentFolder({ DATA_DIR }: Pick<ProcessConfig, 'DATA_DIR'>): Promise<string> {
  const directory = join(DATA_DIR, 'keys');
  await ensureDevelopmentKey(directory);
  return directory;
}
