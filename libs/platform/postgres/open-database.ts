import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import type { PlatformConfig } from '../platform.config.js';
import { logger } from '../logging/logger.js';
import { clientOptions } from './data-source.js';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../embedded/embedded-postgres.js';
import { migrate, pendingMigrations } from './migrator.js';
import type { Persistence } from './persistence.js';
import { platformPersistence } from './platform.persistence.js';
import { isDatabaseUnavailable } from './postgres-errors.js';
import { parsePostgresUrl } from './postgres-url.js';
import { PostgresServer } from './postgres-server.js';
import { PostgresServers } from './postgres-servers.js';

export interface OpenDatabase {
  readonly servers: PostgresServers;
  /** Closes the pools and, if it was started here, the embedded Postgres. */
  close(): Promise<void>;
}

export interface OpenDatabaseOptions {
  readonly config: PlatformConfig;
  readonly features: readonly Persistence[];
  readonly applicationName: string;
  /** Id of this process among those that share the database. */
  readonly processId: string;
  /** Aborted, it ends the waiting. */
  readonly stop: AbortSignal;
}

const retryMs = 1000;

/**
 * Opens the database of a process: starts the embedded one where no `DATABASE_URL` is given, migrates
 * where the configuration says so, and otherwise waits until somebody else has migrated.
 *
 * @throws the reason of `stop` when that is aborted meanwhile; nothing is left running
 */
export async function openDatabase(options: OpenDatabaseOptions): Promise<OpenDatabase> {
  const { config, applicationName, processId, stop } = options;
  const embedded = config.DATABASE_URL === undefined ? await startEmbedded(config, stop) : null;
  const primaryUrls = parsePostgresUrl(embedded?.url ?? config.DATABASE_URL ?? '') ?? [];
  const urls = new Set([
    ...primaryUrls,
    ...config.DATABASE_REPLICA_URLS.flatMap((url) => parsePostgresUrl(url) ?? []),
  ]);
  const features = [platformPersistence, ...options.features];
  const servers = new PostgresServers(
    [...urls].map((url) => new PostgresServer({ url, config, features, applicationName, processId })),
    config,
  );
  const close = async () => {
    await servers.stop();
    await embedded?.stop();
  };
  try {
    await prepare(primaryUrls, features, {
      ...options,
      migrates: config.MIGRATE_ON_START ?? embedded !== null,
    });
    await servers.start();
    await servers.untilPrimary(stop);
    return { servers, close };
  } catch (error) {
    await close();
    stop.throwIfAborted();
    throw error;
  }
}

/**
 * Waits until somebody else has migrated the database of `DATABASE_URL`, and changes nothing in it.
 *
 * @throws the reason of `stop` when that is aborted meanwhile
 */
export async function untilMigrated(options: OpenDatabaseOptions): Promise<void> {
  const urls = parsePostgresUrl(options.config.DATABASE_URL ?? '') ?? [];
  const features = [platformPersistence, ...options.features];
  try {
    await prepare(urls, features, { ...options, migrates: false });
  } catch (error) {
    options.stop.throwIfAborted();
    throw error;
  }
}

/** Migrates, or waits until that has been done. */
async function prepare(
  urls: readonly string[],
  features: readonly Persistence[],
  { config, applicationName, migrates, stop }: OpenDatabaseOptions & { readonly migrates: boolean },
): Promise<void> {
  const connect = () => connectToPrimary(urls, config, applicationName);
  if (migrates) {
    await untilAvailable(async () => {
      const { client, url } = await connect();
      await client.end();
      await migrate(url, features);
    }, stop);
  }
  for (let isFirst = true; ; isFirst = false) {
    const pending = await untilAvailable(async () => {
      const { client } = await connect();
      return pendingMigrations(client, features).finally(() => client.end());
    }, stop);
    if (pending === 0) return;
    if (isFirst) logger.warn({ pending }, 'waiting for migrations');
    await sleep(retryMs, undefined, { signal: stop });
  }
}

/** A session on the first of the servers that is in no recovery. */
async function connectToPrimary(
  urls: readonly string[],
  config: PlatformConfig,
  applicationName: string,
): Promise<{ client: Client; url: string }> {
  let failure: unknown = new NoPrimary('None of the servers of DATABASE_URL is a primary.');
  for (const url of urls) {
    const client = new Client({
      ...clientOptions(url, config, applicationName),
      connectionTimeoutMillis: 5000,
    });
    client.on('error', () => undefined);
    try {
      await client.connect();
      const { rows } = await client.query<{ standby: boolean }>('SELECT pg_is_in_recovery() AS standby');
      if (rows[0]?.standby === false) return { client, url };
    } catch (error) {
      failure = error;
    }
    await client.end().catch(() => undefined);
  }
  throw failure;
}

class NoPrimary extends Error {}

/** Once begun, the server is waited for even if we are to stop: then it can be stopped, and is not left behind. */
async function startEmbedded(config: PlatformConfig, stop: AbortSignal): Promise<EmbeddedPostgres> {
  stop.throwIfAborted();
  const directory = join(config.DATA_DIR, 'postgres');
  const starting = startEmbeddedPostgres({ directory, database: 'task_api' });
  return starting.catch((error: unknown) => {
    // Ctrl-C reaches its programs too.
    stop.throwIfAborted();
    throw error;
  });
}

/** A database that is not there yet is waited for: the probes tell that this process has not started. */
async function untilAvailable<T>(attempt: () => Promise<T>, stop: AbortSignal): Promise<T> {
  for (let isFirst = true; ; isFirst = false) {
    stop.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      if (!isDatabaseUnavailable(error) && !(error instanceof NoPrimary)) throw error;
      if (isFirst) logger.warn({ err: error }, 'waiting for the database');
      await sleep(retryMs, undefined, { signal: stop });
    }
  }
}
