import { z } from 'zod';
import { addressRanges, integer, list, url, type Environment } from '../config/environment.js';
import type { Rule } from '../config/load.js';
import type { ProcessConfig } from '../config/process.config.js';

/** Variables of the HTTP server. */
export const httpVariables = {
  HOST: z.string().default('0.0.0.0').describe('Address that the API listens on.'),
  PORT: integer(0, 65535).default(5000).describe('Port of the API.'),
  PUBLIC_URL: url('http', 'https')
    .optional()
    .describe(
      'How clients reach the API: in links of mails and as the issuer of tokens. Default: `http://localhost:` and ' +
        '`PORT`; needed in production.',
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
};

export type HttpConfig = Environment<typeof httpVariables>;

/** Links in mails would else lead to the reader's own machine. */
export const needsPublicUrl: Rule<ProcessConfig & HttpConfig> = ({ NODE_ENV, PUBLIC_URL }) =>
  NODE_ENV === 'production' && PUBLIC_URL === undefined ? ['PUBLIC_URL: is needed in production'] : [];
