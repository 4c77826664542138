import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Session } from '../support/client.js';
import { startFleet, type Fleet } from '../support/fleet.js';
import type { Owned } from '../support/owned.js';
import { startRedis, type TestRedis } from '../support/redis.js';
import {
  startReplicatedPostgres,
  type PostgresNode,
  type ReplicatedPostgres,
} from '../support/replicated-postgres.js';
import { sharedSettings } from '../support/shared-settings.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { createDatabase, runSql } from '../support/test-database.js';
import { waitFor } from '../support/wait.js';
import { throughPort } from '../consistency/cluster/stores.js';
import { createTask } from './replicas-fixture.js';

/** Two processes, a primary with two replicas, and a user with a task. */
export interface Place {
  readonly postgres: ReplicatedPostgres;
  readonly redis: TestRedis;
  readonly fleet: Fleet;
  /** Keys and issuer, for a process that is started later. */
  readonly settings: Readonly<Record<string, string>>;
  readonly urlOf: (node: PostgresNode) => string;
  readonly session: Session;
  /** The id of a task of the user. */
  readonly taskId: string;
}

interface PlaceOptions {
  readonly synchronous?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  /** On which way the processes reach the primary. */
  readonly through?: (url: string, port: number) => string | Promise<string>;
}

export async function startPlace(
  { owned, atEnd }: Owned,
  { synchronous = true, env = {}, through = (url) => url }: PlaceOptions = {},
): Promise<Place> {
  const postgres = await owned(startReplicatedPostgres({ replicas: 2, synchronous }));
  const redis = await owned(startRedis());
  const created = new URL(await createDatabase(postgres.primary.adminUrl, 'without_primary'));
  const urlOf = (node: PostgresNode) => node.url(created.pathname.slice(1));
  const folder = await mkdtemp(join(tmpdir(), 'task-api-without-primary-'));
  atEnd(() => rm(folder, { recursive: true, force: true }));
  const settings = await sharedSettings(folder);
  const fleet = await owned(
    startFleet({
      size: 2,
      databaseUrl: await through(urlOf(postgres.primary), postgres.primary.port),
      env: {
        ...settings,
        DATABASE_REPLICA_URLS: postgres.replicas.map(urlOf).join(),
        REDIS_URL: redis.url,
        HANDLER_TIMEOUT_MS: '4000',
        ...env,
      },
    }),
  );
  const session = await fleet.member(0).registerAndLogin();
  const { body } = await createTask(fleet.member(0), session, 'kept');
  return { postgres, redis, fleet, settings, urlOf, session, taskId: body.id };
}

export const replicasOf = ({ postgres }: Place): readonly [PostgresNode, PostgresNode] => {
  const [one, other] = postgres.replicas;
  if (one === undefined || other === undefined) throw new Error('There are two replicas.');
  return [one, other];
};

/** The same, where all processes reach the primary by a path that the test may cut. */
export async function startBehindPath(
  owner: Owned,
  env: Readonly<Record<string, string>>,
): Promise<{ readonly place: Place; readonly path: TcpProxy }> {
  const { promise: opened, resolve } = Promise.withResolvers<TcpProxy>();
  const through = async (url: string, port: number): Promise<string> => {
    const path = await owner.owned(startTcpProxy(port));
    resolve(path);
    return throughPort(url, path.port);
  };
  const place = await startPlace(owner, { env, through });
  return { place, path: await opened };
}

/** The COMMIT of a write waits for the replicas, which do not confirm it. */
export const untilCommitWaits = ({ postgres }: Place): Promise<unknown> =>
  waitFor(async () => {
    const sql = "SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND application_name = 'task-api'";
    return (await runSql(postgres.primary.adminUrl, sql)).length > 0;
  });
