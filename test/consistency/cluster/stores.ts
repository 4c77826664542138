import { startHaproxy } from '../../support/haproxy.js';
import { startPostgres } from '../../support/postgres.js';
import { startRedis, type TestRedis } from '../../support/redis.js';
import { startReplicatedPostgres } from '../../support/replicated-postgres.js';
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.js';
import { createDatabase } from '../../support/test-database.js';
import { Databases } from './databases.js';

/** The servers that the API processes share. */
export interface Stores {
  /** Variables with which a process finds them, by its number from 0. */
  environment(process: number): Readonly<Record<string, string>>;
  /** Whether a process serves requests to that path. */
  serves(process: number, path: string): boolean;
  /** URL of the database of a feature on its current primary. */
  primaryUrl(feature: string): string;
  /** Those with replicas. */
  readonly databases: readonly Databases[];
  readonly redis: SharedRedis | null;
  /** Empties them, for another run on the same servers. */
  renew(): Promise<void>;
  stop(): Promise<void>;
}

export interface SharedRedis {
  readonly server: TestRedis;
  /** The proxy of each process to Redis. */
  readonly paths: readonly TcpProxy[];
}

export interface StoresOptions {
  readonly processes: number;
  /** `haproxy`: both replicas behind one address. */
  readonly topology: 'direct' | 'haproxy';
  /** Commits wait for a replica, so that a promotion loses no commit. */
  readonly isSynchronous: boolean;
  /** Reads are answered as well as can be where they can't be answered right. */
  readonly isAvailable?: boolean;
}

/** One Postgres and nothing else. */
export async function startSingle(): Promise<Stores> {
  const postgres = await startPostgres();
  let { url } = postgres;
  return {
    environment: () => ({ DATABASE_URL: url }),
    serves: () => true,
    primaryUrl: () => url,
    databases: [],
    redis: null,
    renew: async () => {
      url = await createDatabase(postgres.adminUrl, 'consistency');
    },
    stop: () => postgres.stop(),
  };
}

/** A primary, two replicas and Redis. */
export function startStores(options: StoresOptions): Promise<Stores> {
  return startingTogether(async (started, stop) => {
    const postgres = await started(
      startReplicatedPostgres({ replicas: 2, synchronous: options.isSynchronous }),
    );
    const databases = await Databases.create(postgres);
    const redis = await startSharedRedis(options.processes, started);
    const replicas = databases.replicas;
    const haproxy =
      options.topology === 'haproxy'
        ? await started(startHaproxy({ servers: replicas.map(({ port }) => port) }))
        : null;
    const replicaUrls = (): readonly string[] => {
      const urls = replicas.map((node) => databases.urlOf(node));
      return haproxy === null ? urls : [throughPort(urls[0] ?? '', haproxy.port)];
    };
    return {
      environment: (process) => ({
        DATABASE_URL: options.isSynchronous ? databases.anyUrl : databases.urlOf(databases.primary),
        DATABASE_REPLICA_URLS: replicaUrls().join(','),
        REDIS_URL: throughPort(redis.server.url, redis.paths[process]?.port ?? 0),
        // Nobody stops a primary that hangs before another one is promoted.
        ...(options.isSynchronous && { DATABASE_PROMOTION: 'automatic' }),
        READS_WITHOUT_PRIMARY: options.isAvailable === true ? 'available' : 'strict',
      }),
      serves: () => true,
      primaryUrl: () => databases.urlOf(databases.primary),
      databases: [databases],
      redis,
      renew: async () => {
        await databases.renew();
        await redis.server.command('FLUSHALL');
      },
      stop,
    };
  });
}

/** Waits for a server, and stops it at the end. */
export type Started = <T extends { stop(): Promise<void> }>(pending: Promise<T>) => Promise<T>;

/** Stops at the end everything that was started, also if a later server does not start. */
export async function startingTogether(
  start: (started: Started, stop: () => Promise<void>) => Promise<Stores>,
): Promise<Stores> {
  const stops: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const each of stops.toReversed()) await each();
  };
  const started: Started = async (pending) => {
    const server = await pending;
    stops.push(() => server.stop());
    return server;
  };
  try {
    return await start(started, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

export async function startSharedRedis(processes: number, started: Started): Promise<SharedRedis> {
  const server = await started(startRedis());
  const paths: TcpProxy[] = [];
  for (let n = 0; n < processes; n += 1) paths.push(await started(startTcpProxy(server.port)));
  return { server, paths };
}

export function throughPort(url: string, port: number): string {
  const through = new URL(url);
  through.port = String(port);
  return through.href;
}
