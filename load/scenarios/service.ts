import { openPlace } from '../../test/compose/place.js';
import { startNginx } from '../../test/compose/servers.js';
import { runApp } from '../../test/support/run.js';
import { runSql } from '../../test/support/test-database.js';
import { roomySettings, startDeployment } from '../support/deployment.js';
import type { Options } from './options.js';

/** The API that the scenario calls. */
export interface Service {
  readonly url: string;
  /** Its processes, if they run on this machine. */
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

const tasksOfEach = 100;

/** The API of the `--url`, or else one that is started here with seeded users, as production runs it. */
export async function openService(options: Options): Promise<Service> {
  const { url, processes, users, scenario } = options;
  if (url !== null) return { url, pids: [], stop: () => Promise.resolve() };
  // NGINX says from which address a call came.
  const env = { ...highLimits, ...(processes > 1 && { TRUSTED_PROXIES: '127.0.0.1' }), ...scenario.env };
  const apis = Array.from({ length: processes }, () => env);
  const deployment = await startDeployment({ apis, isProduction: true, postgresSettings: roomySettings });
  try {
    const counts = ['--users', String(users), '--tasks', String(users * tasksOfEach)];
    const stores = { DATABASE_URL: deployment.databaseUrl, REDIS_URL: deployment.redis.url };
    const seeding = { timeoutMs: 15 * 60_000 };
    const { code, output } = await runApp('cli', ['seed', ...counts], stores, seeding);
    if (code !== 0) throw new Error(`The data could not be made:\n${output}`);
    // The database of a service that has run for a while: what autovacuum does after so many inserts is no part of the load.
    for (const command of ['VACUUM ANALYZE', 'CHECKPOINT']) await runSql(deployment.databaseUrl, command);
    const pids = deployment.apis.map(({ pid }) => pid);
    const [first] = deployment.apis;
    if (processes === 1) return { url: first?.url ?? '', pids, stop: () => deployment.stop() };
    const proxy = await startProxy(deployment.apis.map((api) => new URL(api.url).host));
    const stop = async (): Promise<void> => {
      await proxy.stop();
      await deployment.stop();
    };
    return { url: proxy.url, pids, stop };
  } catch (error) {
    await deployment.stop();
    throw error;
  }
}

/** So high that no scenario reaches them, but they count. */
const highLimits = Object.fromEntries(
  ['FREE', 'PREMIUM', 'ANONYMOUS', 'CREDENTIALS', 'FAILED_LOGIN'].map((name) => [
    `RATE_LIMIT_${name}_POINTS`,
    '1000000000',
  ]),
);

/** NGINX with the configuration of compose.yaml. */
async function startProxy(servers: readonly string[]) {
  const place = await openPlace();
  const nginx = await startNginx(place, servers, 'round_robin');
  const stop = async (): Promise<void> => {
    await nginx.stop();
    await place.remove();
  };
  return { url: nginx.url, stop };
}
