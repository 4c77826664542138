import { z } from 'zod';
import { flag, integer, list, url, type Environment } from './environment.js';

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
  PUBLIC_URL: url('http', 'https')
    .default('http://localhost:5000')
    .describe('How clients reach the API: in links of mails and as the issuer of tokens.'),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('Least severe level that is logged.'),
  CORS_ORIGINS: list()
    .default([])
    .describe('Origins that browsers may call from; `*` for any; none by default.'),
  TRUSTED_PROXIES: list()
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
  DATABASE_URL: url('postgres', 'postgresql')
    .optional()
    .describe('Postgres 15 to 18. Unset: an embedded Postgres (development).'),
  DATA_DIR: z.string().default('.data').describe('Folder of the embedded drivers: database, mails, keys.'),
  DATABASE_POOL_SIZE: integer(1, 500).default(10).describe('Most connections of one process.'),
  DATABASE_CONNECT_TIMEOUT_MS: integer(100, 60_000)
    .default(2000)
    .describe('Longest wait for a connection, from the pool or a new one.'),
  DATABASE_STATEMENT_TIMEOUT_MS: integer(100, 300_000)
    .default(5000)
    .describe('Longest time of one SQL statement.'),
  MIGRATE_ON_START: flag()
    .optional()
    .describe('Runs the migrations before serving. Default: only with the embedded Postgres.'),
  MAIL_DIR: z.string().optional().describe('Folder of the embedded mailer. Default: `mail` in `DATA_DIR`.'),
  MAIL_FROM: z.string().default('Task API <no-reply@localhost>').describe('Sender of mails.'),
  SMTP_URL: url('smtp', 'smtps').optional().describe('Mail server. Unset: mails go to the log and a folder.'),
};

export type PlatformConfig = Environment<typeof platformVariables>;

/** The whole configuration of a process, for those who need more of it than their own slice. */
export const PLATFORM_CONFIG = Symbol('PLATFORM_CONFIG');
