import { Caches } from './cache/caches.js';
import { ChangeListener } from './cache/change-listener.js';
import { MemoryLayer } from './cache/memory-layer.js';
import { RedisLayer } from './cache/redis-layer.js';
import type { PlatformConfig } from './platform.config.js';
import { ConsistencyTokens } from './consistency/consistency-token.js';
import { Consistency } from './consistency/consistency.js';
import { LocalLimits } from './consistency/local-limits.js';
import { MemoryConsistencyStore } from './consistency/memory-consistency-store.js';
import { Protections } from './consistency/protections.js';
import { RedisConsistencyStore } from './consistency/redis-consistency-store.js';
import { DatabaseFactory } from './database/database.js';
import { armFailPointOnSignal } from './database/fail-point.js';
import { openDatabase } from './postgres/open-database.js';
import type { Persistence } from './postgres/persistence.js';
import type { PostgresServers } from './postgres/postgres-servers.js';
import { uuidv7 } from './ids/uuid.js';
import { RedisConnection } from './redis/redis-connection.js';
import { parseRedisUrl } from './redis/redis-url.js';
import { Policies } from './throttling/policies.js';
import { RateLimiter } from './throttling/rate-limiter.js';

/** Everything between a feature and what is kept: the databases to the database, Redis, caches and limits. */
export interface DataPath {
  readonly databases: DatabaseFactory;
  readonly consistency: Consistency;
  readonly caches: Caches;
  readonly limiter: RateLimiter;
  readonly policies: Policies;
  readonly tokens: ConsistencyTokens;
  /** Closes it all, once nobody uses it any more. */
  close(): Promise<void>;
}

export interface DataPathOptions {
  readonly config: PlatformConfig;
  readonly features: readonly Persistence[];
  readonly applicationName: string;
  /** A command reads from the primary and caches nothing; without Redis it tells the services that it writes. */
  readonly isCommand: boolean;
  /** Aborted, it ends the waiting for servers. */
  readonly stop: AbortSignal;
}

export async function openDataPath(options: DataPathOptions): Promise<DataPath> {
  const { config } = options;
  if (config.NODE_ENV === 'test') armFailPointOnSignal();
  const processId = uuidv7();
  const database = await openDatabase({ ...options, processId });
  try {
    const path = assembleDataPath(options, database.servers, processId);
    await path.start();
    const close = () => path.close().finally(() => database.close());
    return { ...path, close };
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** The same on servers that the caller opens and closes. Nothing is connected before `start`. */
export function assembleDataPath(
  { config, applicationName, isCommand }: Omit<DataPathOptions, 'features' | 'stop'>,
  servers: PostgresServers,
  processId: string,
): DataPath & { start(): Promise<void> } {
  const connection = connectRedis(config, applicationName);
  const limits = new LocalLimits();
  const drop = (userId: string, feature: string) => caches.drop(userId, feature);
  const own = isCommand ? null : new MemoryConsistencyStore(limits, drop);
  const store = connection === null ? own : new RedisConsistencyStore(connection);
  const consistency = new Consistency(
    servers,
    store,
    processId,
    new Protections(config.TEST_WITHOUT_PROTECTION),
  );
  const caches = new Caches(
    consistency,
    new MemoryLayer(config),
    connection && new RedisLayer(connection),
    config.CACHE_ENABLED && !isCommand,
  );
  const listener = connection !== null && !isCommand ? new ChangeListener(connection, drop) : null;
  return {
    databases: new DatabaseFactory(servers, consistency, config),
    consistency,
    caches,
    limiter: new RateLimiter(consistency, limits),
    policies: new Policies(config),
    tokens: new ConsistencyTokens(config.CONSISTENCY_TOKEN_KEY),
    start: () => {
      for (const part of [listener, connection]) part?.start();
      return consistency.start();
    },
    close: async () => {
      await consistency.stop();
      for (const part of [listener, connection]) part?.close();
    },
  };
}

function connectRedis(config: PlatformConfig, name: string): RedisConnection | null {
  const address = config.REDIS_URL === undefined ? null : parseRedisUrl(config.REDIS_URL);
  return address && new RedisConnection(address, config, name);
}
