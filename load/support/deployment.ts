import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Databases } from '../../test/consistency/cluster/databases.js';
import { startApi, type Api } from '../../test/support/api.js';
import { startPostgres } from '../../test/support/postgres.js';
import { startRedis, type TestRedis } from '../../test/support/redis.js';
import { sharedSettings } from '../../test/support/shared-settings.js';
import { startReplicatedPostgres } from '../../test/support/replicated-postgres.js';

type Environment = Readonly<Record<string, string>>;

/** The API's processes with the servers behind them. */
export interface Deployment {
  readonly apis: readonly Api[];
  /** On the server that is the primary at the start. */
  readonly databaseUrl: string;
  readonly redis: TestRedis;
  readonly databases: Databases | null;
  stop(): Promise<void>;
}

export interface DeploymentOptions {
  /** What is special about each process. */
  readonly apis: readonly Environment[];
  /** With a primary and two replicas; else it is one server. */
  readonly isReplicated?: boolean;
}

export async function startDeployment({
  apis,
  isReplicated = false,
}: DeploymentOptions): Promise<Deployment> {
  endOnSignals();
  const stops: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const each of stops.toReversed()) await each();
  };
  try {
    const redis = await startRedis();
    stops.push(() => redis.stop());
    const servers = isReplicated ? await startReplicatedPostgres() : await startPostgres();
    stops.push(() => servers.stop());
    const databases = 'replicas' in servers ? await Databases.create(servers) : null;
    const databaseUrl = 'replicas' in servers ? (databases?.urlOf(servers.primary) ?? '') : servers.url;
    const folder = await mkdtemp(join(tmpdir(), 'task-api-bench-'));
    stops.push(() => rm(folder, { recursive: true, force: true }));
    const common = {
      ...(await sharedBy(folder)),
      REDIS_URL: redis.url,
      ...(databases !== null && {
        DATABASE_URL: databases.anyUrl,
        DATABASE_REPLICA_URLS: databases.replicas.map((node) => databases.urlOf(node)).join(','),
      }),
    };
    const started: Api[] = [];
    // One by one, since the first runs the migrations.
    for (const special of apis) {
      const api = await startApi({ databaseUrl, mailDir: folder, env: { ...common, ...special } });
      started.push(api);
      stops.push(() => api.stop());
    }
    return { apis: started, databaseUrl, redis, databases, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Runs the bench and stops everything, whatever comes. */
export async function withDeployment(
  options: DeploymentOptions,
  run: (deployment: Deployment) => Promise<void>,
): Promise<void> {
  const deployment = await startDeployment(options);
  try {
    await run(deployment);
  } finally {
    await deployment.stop();
  }
}

/** What makes several processes one service, and its tokens last as long as a bench. */
async function sharedBy(folder: string): Promise<Environment> {
  return {
    ...(await sharedSettings(folder)),
    ACCESS_TOKEN_TTL_SECONDS: '3600',
    LOG_LEVEL: 'warn',
    RATE_LIMIT_FREE_POINTS: '1000000000',
  };
}

/** What ends a process without its `exit` event would leave the servers and their files behind. */
function endOnSignals(): void {
  process.once('SIGINT', () => process.exit(130));
  process.once('SIGTERM', () => process.exit(143));
}
