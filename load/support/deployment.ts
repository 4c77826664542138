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

/** The API processes and the servers that they use. */
export interface Deployment {
  readonly apis: readonly Api[];
  /** Its database on the initial primary. */
  readonly databaseUrl: string;
  readonly redis: TestRedis;
  readonly databases: Databases | null;
  /** Variables of every process: one that is started later with them belongs to it. */
  readonly environment: Environment;
  /** Root of the checkout that is started; default: this one. */
  readonly root: string | undefined;
  stop(): Promise<void>;
}

export interface DeploymentOptions {
  /** Variables of each process. */
  readonly apis: readonly Environment[];
  /** A primary and two replicas instead of one server. */
  readonly isReplicated?: boolean;
  /** A commit waits until one of the replicas has it. */
  readonly isSynchronous?: boolean;
  /** As production runs it: with a log line for each request, which goes to a file. No mail is sent. */
  readonly isProduction?: boolean;
  /** Another checkout whose build is started. */
  readonly root?: string;
  /** Settings of a single Postgres server. */
  readonly postgresSettings?: Readonly<Record<string, string>>;
}

/** Of a server whose data fits into its memory, as that of most services does. */
export const roomySettings = { shared_buffers: '1GB', max_wal_size: '8GB' };

export async function startDeployment({
  apis,
  isReplicated = false,
  isSynchronous = false,
  isProduction = false,
  root,
  postgresSettings = {},
}: DeploymentOptions): Promise<Deployment> {
  endOnSignals();
  const stops: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const each of stops.toReversed()) await each();
  };
  try {
    const redis = await startRedis();
    stops.push(() => redis.stop());
    const servers = isReplicated
      ? await startReplicatedPostgres({ synchronous: isSynchronous })
      : await startPostgres({ settings: postgresSettings });
    stops.push(() => servers.stop());
    const databases = 'replicas' in servers ? await Databases.create(servers) : null;
    const databaseUrl = 'replicas' in servers ? (databases?.urlOf(servers.primary) ?? '') : servers.url;
    const folder = await mkdtemp(join(tmpdir(), 'task-api-bench-'));
    stops.push(() => rm(folder, { recursive: true, force: true }));
    const common = {
      ...(await sharedBy(folder)),
      REDIS_URL: redis.url,
      ...(isProduction && production),
      ...(databases !== null && {
        DATABASE_URL: databases.anyUrl,
        DATABASE_REPLICA_URLS: databases.replicas.map((node) => databases.urlOf(node)).join(','),
      }),
    };
    const started: Api[] = [];
    // One by one, since the first runs the migrations.
    for (const [n, special] of apis.entries()) {
      const env = { ...common, ...special };
      const place = {
        databaseUrl,
        mailDir: folder,
        ...(root !== undefined && { root }),
        ...(isProduction && { outputFile: join(folder, `api-${n}.log`) }),
      };
      const api = await startApi({ ...place, env });
      started.push(api);
      stops.push(() => api.stop());
    }
    return { apis: started, databaseUrl, redis, databases, environment: common, root, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

const production = {
  NODE_ENV: 'production',
  LOG_LEVEL: 'info',
  SMTP_URL: 'smtp://127.0.0.1:25',
  MAIL_FROM: 'Task API <no-reply@example.com>',
};

/** Runs the bench and stops everything, also after a failure. */
export async function withDeployment<T>(
  options: DeploymentOptions,
  run: (deployment: Deployment) => Promise<T>,
): Promise<T> {
  const deployment = await startDeployment(options);
  try {
    return await run(deployment);
  } finally {
    await deployment.stop();
  }
}

/** Settings that several processes of one service share, with tokens that last as long as a bench. */
async function sharedBy(folder: string): Promise<Environment> {
  return {
    ...(await sharedSettings(folder)),
    ACCESS_TOKEN_TTL_SECONDS: '3600',
    LOG_LEVEL: 'warn',
    RATE_LIMIT_FREE_POINTS: '1000000000',
  };
}

let endsOnSignals = false;

/** A signal ends the process without its `exit` event, which would leave the servers and their files behind. */
function endOnSignals(): void {
  if (endsOnSignals) return;
  endsOnSignals = true;
  process.once('SIGINT', () => process.exit(130));
  process.once('SIGTERM', () => process.exit(143));
}
