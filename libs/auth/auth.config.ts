import { z } from 'zod';
import { integer, type Environment } from '../platform/config/environment.js';
import type { Rule } from '../platform/config/load.js';
import type { ProcessConfig } from '../platform/config/process.config.js';
import { limitsVariables } from './limits/limits.config.js';

/** Variables of the auth feature. */
export const authVariables = {
  ACCESS_TOKEN_TTL_SECONDS: integer(1, 3600).default(900).describe('Life of an access token.'),
  REFRESH_GRACE_SECONDS: integer(1, 60)
    .default(10)
    .describe(
      'How long after its rotation an old refresh token is taken for a race (409) and not for theft.',
    ),
  REFRESH_IDLE_DAYS: integer(1, 365)
    .default(30)
    .describe('A session ends when it was not refreshed for this long.'),
  SESSION_ABSOLUTE_DAYS: integer(1, 3650).default(90).describe('A session ends this long after the login.'),
  ARGON2_MEMORY_KIB: integer(19_456, 4_194_304)
    .default(19_456)
    .describe('Memory of one argon2id hash. Raising it rehashes each password at its next login.'),
  ARGON2_PASSES: integer(2, 100).default(2).describe('Passes of argon2id over its memory.'),
  PASSWORD_CONCURRENCY: integer(1, 64)
    .default(2)
    .describe('Password hashes computed at once; each takes a thread of `UV_THREADPOOL_SIZE` (4).'),
  PASSWORD_QUEUE: integer(0, 10_000).default(100).describe('Password hashes that may wait; beyond it 503.'),
  MAILS_PER_HOUR: integer(1, 1000)
    .default(3)
    .describe('Most mails of one purpose to one address in an hour.'),
  JWT_KEYS_DIR: z
    .string()
    .optional()
    .describe(
      'Folder of the keys that sign access tokens, `<kid>.pem`. Unset: one is made in `DATA_DIR` (development).',
    ),
  JWT_KEY_PUBLISH_SECONDS: integer(0, 86_400)
    .default(300)
    .describe(
      'A new key signs when it is this old: by then all processes know it. What a process finds at its start is as old ' +
        'as its name says (`2026-11-24T14-30-00Z.pem`), anything else as its file.',
    ),
  ...limitsVariables,
};

/** Production has several processes, and one that made its own key would refuse the others' tokens. */
export const needsSharedKeys: Rule<ProcessConfig & AuthConfig> = ({ NODE_ENV, JWT_KEYS_DIR }) =>
  NODE_ENV === 'production' && JWT_KEYS_DIR === undefined ? ['JWT_KEYS_DIR: is needed in production'] : [];

export type AuthConfig = Environment<typeof authVariables>;
