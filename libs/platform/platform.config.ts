import { z } from 'zod';
import { protectionNames } from './consistency/protections.js';
import { parsePostgresUrl } from './postgres/postgres-url.js';
import { logLevels } from './logging/log-levels.js';
import { parseRedisUrl } from './redis/redis-url.js';
import { addressRanges, flag, integer, list, url, type Environment } from './config/environment.js';
import { telemetryVariables } from './telemetry/telemetry.config.js';

const postgresUrl = () =>
  z.string().refine((value) => parsePostgresUrl(value) !== null, 'must be a postgres:// URL');

/** What the platform itself is told by the environment. Features add their own variables. */
export const platformVariables = {
  NODE_ENV: z
    .enum(['development', 'test', 'production'])
    .default('development')
    .describe('`production` refuses embedded drivers and generated keys.'),
  ALLOW_EMBEDDED_DRIVERS: flag()
    .default(false)
    .describe('Lets `production` run on embedded drivers all the same.'),
  HOST: z.string().default('0.0.0.0').describe('Address that the API listens on.'),
  PORT: integer(0, 65535).default(5000).describe('Port of the API.'),
  OPS_PORT: integer(0, 65535)
    .default(5001)
    .describe('Port of `/livez`, `/readyz`, `/startupz` and `/metrics`.'),
  APP_VERSION: z.string().max(100).default('unknown').describe('Version in the metrics; set in the image.'),
  APP_REVISION: z.string().max(100).default('unknown').describe('Commit in the metrics; set in the image.'),
  PUBLIC_URL: url('http', 'https')
    .optional()
    .describe(
      'How clients reach the API: in links of mails and as the issuer of tokens. Default: `http://localhost:` and ' +
        '`PORT`; needed in production.',
    ),
  LOG_LEVEL: z.enum(logLevels).default('info').describe('Least severe level that is logged.'),
  LOG_LEVEL_FILE: z
    .string()
    .optional()
    .describe(
      'A file that holds a level, which counts in place of `LOG_LEVEL` while it does. It is read every 5 s, so that the level ' +
        'changes without a restart.',
    ),
  CORS_ORIGINS: list()
    .default([])
    .describe('Origins that browsers may call from; `*` for any; none by default.'),
  TRUSTED_PROXIES: addressRanges()
    .default([])
    .describe('Addresses or CIDR ranges of proxies whose `X-Forwarded-For` is believed; none by default.'),
  REQUEST_TIMEOUT_MS: integer(100, 300_000)
    .default(30_000)
    .describe('Longest time in which a request must arrive, headers (half of it) and body; then 408.'),
  HANDLER_TIMEOUT_MS: integer(100, 300_000)
    .default(15_000)
    .describe('Longest time a handler may take; then 503.'),
  STOP_DELAY_MS: integer(0, 120_000)
    .default(0)
    .describe(
      'Wait between failing readiness and closing the port. Kubernetes waits by its preStop sleep instead.',
    ),
  STOP_TIMEOUT_MS: integer(1000, 300_000)
    .default(25_000)
    .describe('Longest time for draining, then the process exits.'),
  DATABASE_URL: postgresUrl()
    .optional()
    .describe(
      'Postgres 15 to 18. It may name several hosts (`postgres://user:password@a:5432,b:5432/name`): the one that is not ' +
        'in recovery is the primary. `?sslmode=verify-full&sslrootcert=/path/ca.crt` for TLS: the certificate must be by ' +
        'that authority (without `sslrootcert` one that Node knows) and for that host. Unset: an embedded Postgres ' +
        '(development).',
    ),
  DATABASE_REPLICA_URLS: list()
    .refine((urls) => urls.every((each) => postgresUrl().safeParse(each).success), 'must be postgres:// URLs')
    .default([])
    .describe('Read replicas, comma-separated. An address may stand for several (a reader endpoint).'),
  PGPASSWORD: z
    .string()
    .optional()
    .describe(
      'Password for the Postgres URLs that hold none, as it is: in a URL it must be percent-encoded.',
    ),
  DATABASE_POOLER: flag()
    .default(false)
    .describe(
      'The addresses lead to a pooler in transaction mode (PgBouncer), to which no settings can be sent.',
    ),
  DATABASE_MAX_REPLICA_LAG_MS: integer(100, 3_600_000)
    .default(1000)
    .describe('A replica that is further behind gets no reads until it has caught up.'),
  DATA_DIR: z.string().default('.data').describe('Folder of the embedded drivers: database, mails, keys.'),
  DATABASE_POOL_SIZE: integer(1, 500).default(10).describe('Most connections of one process.'),
  DATABASE_CONNECT_TIMEOUT_MS: integer(100, 60_000)
    .default(2000)
    .describe('Longest wait for a connection, from the pool or a new one.'),
  DATABASE_STATEMENT_TIMEOUT_MS: integer(100, 300_000)
    .default(5000)
    .describe('Longest time of one SQL statement.'),
  DATABASE_IDLE_TIMEOUT_MS: integer(1000, 3_600_000)
    .default(60_000)
    .describe('A connection of the pool that is idle for this long is closed.'),
  DATABASE_KEEPALIVE_MS: integer(1000, 3_600_000)
    .default(10_000)
    .describe('Idle time after which TCP asks whether the database is still there.'),
  REDIS_URL: z
    .string()
    .refine((value) => parseRedisUrl(value) !== null, 'must be a redis:// URL, see the table of the README')
    .optional()
    .describe(
      '`redis://[user:password@]host[:port][/db]`, `redis+sentinel://host,host/master`, `redis+cluster://host,host`; ' +
        '`rediss` for TLS. Unset: the process keeps for itself what it would keep there (development).',
    ),
  REDIS_PASSWORD: z.string().optional().describe('Password for a `REDIS_URL` that holds none, as it is.'),
  REDIS_CA_FILE: z
    .string()
    .optional()
    .describe(
      'Authorities that the certificate of a Redis over TLS must be by; it must also be for its host.',
    ),
  REDIS_TIMEOUT_MS: integer(10, 10_000)
    .default(250)
    .describe('A Redis that does not answer for this long is gone on without.'),
  CONSISTENCY_TOKEN_KEY: z
    .string()
    .min(32)
    .optional()
    .describe(
      'Secret that `Consistency-Token` is signed by, the same for all processes. Unset: one of this process.',
    ),
  CACHE_ENABLED: flag()
    .default(true)
    .describe('`false`: nothing of users is cached, in Redis or in the process.'),
  CACHE_MEMORY_MIB: integer(1, 16_384).default(64).describe('Most memory for cached answers in the process.'),
  RATE_LIMIT_WINDOW_SECONDS: integer(1, 86_400)
    .default(900)
    .describe('Window of the limits of a user or an IP.'),
  RATE_LIMIT_BLOCK_SECONDS: integer(1, 86_400)
    .default(60)
    .describe('How long whoever goes over a limit is blocked; then the count starts anew.'),
  RATE_LIMIT_FREE_POINTS: integer(1, 1_000_000_000)
    .default(100)
    .describe('Requests of a free user in a window.'),
  RATE_LIMIT_PREMIUM_POINTS: integer(1, 1_000_000_000)
    .default(1000)
    .describe('Requests of a premium user in a window.'),
  RATE_LIMIT_ANONYMOUS_POINTS: integer(1, 1_000_000_000)
    .default(100)
    .describe('Requests without a good token, from one IP in a window.'),
  RATE_LIMIT_CREDENTIALS_POINTS: integer(1, 1_000_000_000)
    .default(10)
    .describe('Calls in a minute, from one IP, that make an account, log in or send a mail.'),
  RATE_LIMIT_FAILED_LOGIN_POINTS: integer(1, 1_000_000_000)
    .default(10)
    .describe('Failed logins of one e-mail in a window.'),
  RATE_LIMIT_REFRESH_POINTS: integer(1, 1_000_000_000)
    .default(30)
    .describe('Refreshes of one session in a minute.'),
  TEST_WITHOUT_PROTECTION: z
    .enum(protectionNames)
    .optional()
    .describe('For tests of the consistency checker alone: switches off one thing that keeps reads right.'),
  MIGRATE_ON_START: flag()
    .optional()
    .describe('Runs the migrations before serving. Default: only with the embedded Postgres.'),
  MAIL_DIR: z.string().optional().describe('Folder of the embedded mailer. Default: `mail` in `DATA_DIR`.'),
  MAIL_FROM: z
    .string()
    .optional()
    .describe(
      'Sender of mails. Default: `Task API <no-reply@localhost>`; needed in production with `SMTP_URL`.',
    ),
  SMTP_URL: url('smtp', 'smtps')
    .optional()
    .describe('Mail server. Unset: mails go to a folder, which keeps the newest 1000.'),
  ...telemetryVariables,
};

export type PlatformConfig = Environment<typeof platformVariables>;

/** How clients reach the API. */
export const publicUrlOf = ({ PUBLIC_URL, PORT }: Pick<PlatformConfig, 'PUBLIC_URL' | 'PORT'>): string =>
  PUBLIC_URL ?? `http://localhost:${PORT}`;

/** The whole configuration of a process, for those who need more of it than their own slice. */
export const PLATFORM_CONFIG = Symbol('PLATFORM_CONFIG');
