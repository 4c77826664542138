import { z } from 'zod';
import type { Environment } from '../config/environment.js';
import type { Rule } from '../config/load.js';
import type { ProcessConfig } from '../config/process.config.js';

/** Variables of read consistency. */
export const consistencyVariables = {
  CONSISTENCY_TOKEN_KEY: z
    .string()
    .min(32)
    .optional()
    .describe(
      'Secret that encrypts `Consistency-Token`, the same for all processes. Unset: each process makes its own.',
    ),
};

export type ConsistencyConfig = Environment<typeof consistencyVariables>;

/** Processes that share Redis must accept each other's tokens. */
export const needsSharedTokenKey: Rule<
  ProcessConfig & ConsistencyConfig & { readonly REDIS_URL?: string | undefined }
> = ({ NODE_ENV, REDIS_URL, CONSISTENCY_TOKEN_KEY }) =>
  NODE_ENV === 'production' && REDIS_URL !== undefined && CONSISTENCY_TOKEN_KEY === undefined
    ? ['CONSISTENCY_TOKEN_KEY: is needed in production with REDIS_URL']
    : [];
