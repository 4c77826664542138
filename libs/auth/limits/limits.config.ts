import { integer, type Environment } from '../../platform/config/environment.js';

/** Variables of the rate limits. */
export const limitsVariables = {
  RATE_LIMIT_WINDOW_SECONDS: integer(1, 86_400)
    .default(900)
    .describe('Window of the limits of a user or an IP.'),
  RATE_LIMIT_BLOCK_SECONDS: integer(1, 86_400)
    .default(60)
    .describe(
      'How long whoever goes over a limit is blocked; then the count starts anew. Failed logins are refused until their window ends.',
    ),
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
    .describe('Failed logins of one e-mail from one network in a window.'),
  RATE_LIMIT_FAILED_LOGIN_EMAIL_POINTS: integer(1, 1_000_000_000)
    .default(100)
    .describe(
      'Failed logins of one e-mail from all networks together in a window. Beyond it only networks that have logged in before may try.',
    ),
  RATE_LIMIT_REFRESH_POINTS: integer(1, 1_000_000_000)
    .default(30)
    .describe('Refreshes of one session in a minute.'),
};

export type LimitsConfig = Environment<typeof limitsVariables>;
