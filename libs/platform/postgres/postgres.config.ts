import { z } from 'zod';
import { flag, integer, list, type Environment } from '../config/environment.js';
import { parsePostgresUrl } from './postgres-url.js';

const postgresUrl = () =>
  z.string().refine((value) => parsePostgresUrl(value) !== null, 'must be a postgres:// URL');

/** Variables of Postgres. */
export const postgresVariables = {
  DATABASE_URL: postgresUrl()
    .optional()
    .describe(
      'Postgres 15 to 18. It may name several hosts (`postgres://user:password@a:5432,b:5432/name`): the one that is not ' +
        'in recovery is the primary. `?sslmode=verify-full&sslrootcert=/path/ca.crt` for TLS: the certificate must be signed ' +
        'by that CA (without `sslrootcert`: one that Node knows), for that host. Unset: an embedded Postgres (development).',
    ),
  DATABASE_REPLICA_URLS: list()
    .refine((urls) => urls.every((each) => postgresUrl().safeParse(each).success), 'must be postgres:// URLs')
    .default([])
    .describe('Read replicas, comma-separated. An address may stand for several (a reader endpoint).'),
  PGPASSWORD: z
    .string()
    .optional()
    .describe(
      'Password for Postgres URLs without one. Taken as it is; in a URL a password must be percent-encoded.',
    ),
  DATABASE_POOLER: flag()
    .default(false)
    .describe(
      'The addresses lead to a pooler in transaction mode (PgBouncer), which accepts no settings at the start of a session.',
    ),
  DATABASE_MAX_REPLICA_LAG_MS: integer(100, 3_600_000)
    .default(1000)
    .describe('Replicas that are further behind get no reads until they have caught up.'),
  DATABASE_PROMOTION: z
    .enum(['manual', 'automatic'])
    .default('manual')
    .describe(
      '`manual`: whoever promotes a replica has stopped the old primary before, as people do who follow the runbook, and the clouds. ' +
        '`automatic`: nobody is sure to; the primary is read only while synchronous standbys confirm every second that it is one.',
    ),
  READS_WITHOUT_PRIMARY: z
    .enum(['strict', 'available'])
    .default('strict')
    .describe(
      'What reads get while no primary answers and no replica is known to have everything that was acknowledged. `strict`: 503. ' +
        '`available`: what the most recent replica has, with `Consistency-Level: best-effort` in the response.',
    ),
  DATABASE_POOL_SIZE: integer(1, 500)
    .default(10)
    .describe('Maximum connections of one process to one server.'),
  DATABASE_CONNECT_TIMEOUT_MS: integer(100, 60_000)
    .default(2000)
    .describe('Maximum wait for a connection, from the pool or a new one.'),
  DATABASE_STATEMENT_TIMEOUT_MS: integer(100, 300_000)
    .default(5000)
    .describe('Maximum time of one SQL statement.'),
  DATABASE_IDLE_TIMEOUT_MS: integer(1000, 3_600_000)
    .default(60_000)
    .describe('Idle time after which a connection of the pool is closed.'),
  DATABASE_KEEPALIVE_MS: integer(1000, 3_600_000)
    .default(10_000)
    .describe('Idle time after which TCP keepalive checks whether the database is still there.'),
  MIGRATE_ON_START: flag()
    .optional()
    .describe('Run the migrations before serving. Default: only with the embedded Postgres.'),
};

export type PostgresConfig = Environment<typeof postgresVariables>;
