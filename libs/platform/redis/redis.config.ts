import { z } from 'zod';
import { integer } from '../config/environment.js';
import { parseRedisUrl } from './redis-url.js';

/** Variables of Redis. */
export const redisVariables = {
  REDIS_URL: z
    .string()
    .refine(
      (value) => parseRedisUrl(value) !== null,
      'must be a redis:// URL, see docs/operations/configuration.md',
    )
    .optional()
    .describe(
      '`redis://[user:password@]host[:port][/db]`, `redis+sentinel://host,host/master`, `redis+cluster://host,host`; ' +
        '`rediss` for TLS. Unset: the process keeps that state in its own memory (development).',
    ),
  REDIS_PASSWORD: z
    .string()
    .optional()
    .describe('Password for a `REDIS_URL` without one. Taken as it is: nothing in it is percent-decoded.'),
  REDIS_CA_FILE: z
    .string()
    .optional()
    .describe(
      'CA certificates (PEM) for Redis over TLS. The server certificate must be signed by one of them, for the host of the URL.',
    ),
  REDIS_TIMEOUT_MS: integer(10, 10_000)
    .default(250)
    .describe('Redis timeout; after it, the request continues without Redis.'),
};
