import { Caches } from './cache/caches.js';
import { ChangeListener } from './cache/change-listener.js';
import { MemoryLayer } from './cache/memory-layer.js';
import { RedisLayer } from './cache/redis-layer.js';
import { ConsistencyTokens } from './consistency/consistency-token.js';
import { Consistency } from './consistency/consistency.js';
import type { DatabaseOwner } from './consistency/database-owner.port.js';
import { DatabaseTrust } from './consistency/database-trust.js';
import { Lease } from './consistency/lease.js';
import { LocalLimits } from './consistency/local-limits.js';
import { MemoryConsistencyStore } from './consistency/memory-consistency-store.js';
import { RedisConsistencyStore } from './consistency/redis-consistency-store.js';
import type { Scope } from './context/scope.js';
import { DatabaseFactory } from './database/database.js';
import { uuidv7 } from './ids/uuid.js';
import type { Metrics } from './metrics/metrics.js';
import type { DataPathConfig } from './platform.config.js';
import { openDatabase, type StartEmbedded } from './postgres/open-database.js';
import type { Persistence } from './postgres/persistence.js';
import { PostgresMetrics } from './postgres/postgres-metrics.js';
import { PostgresServer } from './postgres/postgres-server.js';
import { PostgresServers } from './postgres/postgres-servers.js';
import { RedisConnection } from './redis/redis-connection.js';
import { parseRedisUrl } from './redis/redis-url.js';
import { RateLimiter } from './throttling/rate-limiter.js';

/** Everything between a feature and its data: databases, caches, rate limits, and what keeps them consistent. */
export interface DataPath {
  readonly databases: DatabaseFactory;
  readonly servers: PostgresServers;
  readonly consistency: Consistency;
  readonly caches: Caches;
  readonly limiter: RateLimiter;
  readonly tokens: ConsistencyTokens;
  /** Closes all connections. Call it when nothing uses the data path any more. */
  close(): Promise<void>;
}

/** The classes that a data path is made of. Others with the same constructors may take their place. */
export interface DataPathParts {
  readonly PostgresServers: typeof PostgresServers;
  readonly RedisConsistencyStore: typeof RedisConsistencyStore;
  readonly Lease: typeof Lease;
  readonly DatabaseTrust: typeof DatabaseTrust;
  readonly Caches: typeof Caches;
}

const ownParts: DataPathParts = { PostgresServers, RedisConsistencyStore, Lease, DatabaseTrust, Caches };

export interface AssembleOptions {
  readonly config: DataPathConfig;
  /** URL of each server of the database. */
  readonly servers: readonly string[];
  readonly features?: readonly Persistence[];
  /** The name that Postgres and Redis show for the connections of this process. */
  readonly applicationName: string;
  /** A command reads from the primary and caches nothing. Without Redis it takes the lease to write. */
  readonly role: 'service' | 'command';
  readonly metrics: Metrics;
  /** Owners of other databases that the process relies on. */
  readonly owners?: readonly DatabaseOwner[] | undefined;
  readonly parts?: Partial<DataPathParts> | undefined;
}

export interface DataPathOptions extends Omit<AssembleOptions, 'servers'> {
  readonly features: readonly Persistence[];
  /** For processes without `DATABASE_URL`. */
  readonly startEmbedded: StartEmbedded;
  /** Aborted: the waiting for servers ends. */
  readonly stop: AbortSignal;
}

/**
 * Opens the data path of a process: waits for the database and its migrations, not for Redis.
 *
 * @throws the reason of `stop` when that is aborted meanwhile; nothing is left running
 */
export async function openDataPath(options: DataPathOptions): Promise<DataPath> {
  const { stop } = options;
  const database = await openDatabase(options);
  const path = assembleDataPath({ ...options, servers: database.urls });
  const close = () => path.close().finally(() => database.close());
  try {
    await path.start(stop);
    return { ...path, close };
  } catch (error) {
    await close();
    stop.throwIfAborted();
    throw error;
  }
}

/** The same on servers that run and are migrated. Nothing connects before `start`. */
export function assembleDataPath(
  options: AssembleOptions,
): DataPath & { start(stop: AbortSignal): Promise<void> } {
  const { config, role, metrics } = options;
  const parts = { ...ownParts, ...options.parts };
  const processId = uuidv7();
  const servers = createServers(options, parts, processId);
  const isService = role === 'service';
  const connection = connectRedis(options);
  const local = new LocalLimits();
  const drop = (scope: Scope, feature: string) => caches.drop(scope, feature);
  const memoryStore = isService ? new MemoryConsistencyStore(local, drop) : null;
  const store = connection === null ? memoryStore : new parts.RedisConsistencyStore(connection);
  const lease = new parts.Lease(servers, processId);
  const consistency = new Consistency({
    ...{ servers, store, lease, metrics },
    owners: options.owners ?? [],
    Trust: parts.DatabaseTrust,
  });
  const caches = new parts.Caches({
    consistency,
    memory: new MemoryLayer(config),
    redis: connection && new RedisLayer(connection, metrics),
    isEnabled: config.CACHE_ENABLED && isService,
    metrics,
  });
  const listener = connection !== null && isService ? new ChangeListener(connection, drop) : null;
  return {
    databases: new DatabaseFactory({ servers, consistency, config, metrics }),
    servers,
    consistency,
    caches,
    limiter: new RateLimiter({ consistency, local, metrics }),
    tokens: new ConsistencyTokens(config.CONSISTENCY_TOKEN_KEY),
    ...lifecycleOf(servers, consistency, [listener, connection], isService),
  };
}

function lifecycleOf(
  servers: PostgresServers,
  consistency: Consistency,
  redis: readonly ({ start(): void; close(): void } | null)[],
  isService: boolean,
) {
  return {
    async start(stop: AbortSignal): Promise<void> {
      await servers.start();
      // A service answers reads without a primary, a command needs it.
      await (isService ? servers.untilReadable(stop) : servers.untilPrimary(stop));
      for (const part of redis) part?.start();
      await consistency.start();
    },
    async close(): Promise<void> {
      await consistency.stop();
      for (const part of redis) part?.close();
      await servers.stop();
    },
  };
}

function createServers(options: AssembleOptions, parts: DataPathParts, processId: string): PostgresServers {
  const { config, features = [], applicationName } = options;
  const metrics = new PostgresMetrics(options.metrics);
  const servers = options.servers.map(
    (url) => new PostgresServer({ url, config, features, applicationName, processId, metrics }),
  );
  return new parts.PostgresServers(servers, config, metrics);
}

function connectRedis({ config, applicationName, metrics }: AssembleOptions): RedisConnection | null {
  const address = config.REDIS_URL === undefined ? null : parseRedisUrl(config.REDIS_URL);
  return address && new RedisConnection({ address, config, name: applicationName, metrics });
}
