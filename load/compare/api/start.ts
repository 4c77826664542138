import { startServer, type Common, type ComparedServer } from '../server.js';
import { serverPorts } from '../../../test/support/ports.js';

/** High, but the limits count all the same. */
const points = '1000000000';

/** The API as production runs it: nothing is switched off. */
export async function startApi(
  { folder, databaseUrl, redisUrl, settings }: Common,
  more: Readonly<Record<string, string>> = {},
): Promise<ComparedServer> {
  const [opsPort = 0] = await serverPorts(1);
  return startServer({
    name: 'api',
    folder,
    // As in the image.
    program: ['--max-semi-space-size=16', 'load/compare/api/main.mjs'],
    env: {
      ...settings,
      HOST: '127.0.0.1',
      OPS_PORT: String(opsPort),
      DATABASE_URL: databaseUrl,
      MIGRATE_ON_START: 'true',
      REDIS_URL: redisUrl,
      // No mail is sent.
      SMTP_URL: 'smtp://127.0.0.1:25',
      MAIL_FROM: 'Task API <no-reply@example.com>',
      ACCESS_TOKEN_TTL_SECONDS: '3600',
      RATE_LIMIT_FREE_POINTS: points,
      RATE_LIMIT_PREMIUM_POINTS: points,
      RATE_LIMIT_ANONYMOUS_POINTS: points,
      RATE_LIMIT_CREDENTIALS_POINTS: points,
      ...more,
    },
  });
}
