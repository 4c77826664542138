import { cacheVariables } from './cache/cache.config.js';
import type { Environment } from './config/environment.js';
import { processVariables } from './config/process.config.js';
import { consistencyVariables } from './consistency/consistency.config.js';
import { httpVariables } from './http/http.config.js';
import { loggingVariables } from './logging/logging.config.js';
import { mailVariables } from './mail/mail.config.js';
import { metricsVariables } from './metrics/metrics.config.js';
import { operationsVariables } from './operations/operations.config.js';
import { postgresVariables } from './postgres/postgres.config.js';
import { redisVariables } from './redis/redis.config.js';
import { telemetryVariables } from './telemetry/telemetry.config.js';

/** What the data path reads: databases, Redis, caches. */
export const dataPathVariables = {
  ...processVariables,
  ...loggingVariables,
  ...postgresVariables,
  ...redisVariables,
  ...consistencyVariables,
  ...cacheVariables,
};
export type DataPathConfig = Environment<typeof dataPathVariables>;

/** Every variable of the platform; each stands beside what reads it. Features add their own. */
export const platformVariables = {
  ...processVariables,
  ...httpVariables,
  ...operationsVariables,
  ...loggingVariables,
  ...metricsVariables,
  ...postgresVariables,
  ...redisVariables,
  ...consistencyVariables,
  ...cacheVariables,
  ...mailVariables,
  ...telemetryVariables,
};
