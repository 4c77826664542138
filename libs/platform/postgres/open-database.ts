import { setTimeout as sleep } from 'node:timers/promises';
import type { ProcessConfig } from '../config/process.config.js';
import { logger } from '../logging/logger.js';
import { clientOptions, type ConnectionConfig } from './data-source.js';
import { migrate, pendingMigrations } from './migrator.js';
import type { Persistence } from './persistence.js';
import { platformPersistence } from './platform.persistence.js';
import { PostgresClient } from './postgres-client.js';
import { isDatabaseUnavailable } from './postgres-errors.js';
import { parsePostgresUrl } from './postgres-url.js';
import type { PostgresConfig } from './postgres.config.js';

/** A Postgres server that the process runs itself. */
export interface RunningPostgres {
  readonly url: string;
  /** Stops the server, unless other processes use it. */
  stop(): Promise<void>;
}

/** Starts a server whose data is below the directory of embedded drivers (`DATA_DIR`). */
export type StartEmbedded = (dataDirectory: string) => Promise<RunningPostgres>;

export interface MigrationOptions {
  readonly config: PostgresConfig;
  readonly features: readonly Persistence[];
  /** `application_name`, as `pg_stat_activity` shows it. */
  readonly applicationName: string;
  /** Aborted: the waiting ends. */
  readonly stop: AbortSignal;
}

export interface OpenDatabaseOptions extends MigrationOptions {
  readonly config: PostgresConfig & ProcessConfig;
  /** For processes without `DATABASE_URL`. */
  readonly startEmbedded: StartEmbedded;
}

export interface OpenDatabase {
  /** Of each server, replicas included. */
  readonly urls: readonly string[];
  /** Stops the embedded Postgres, where it was started here. */
  close(): Promise<void>;
}

const retryMs = 1000;

/**
 * Makes the database of a process ready: starts the embedded Postgres where there is no `DATABASE_URL`, migrates where the
 * configuration says so, and otherwise waits until another process has migrated.
 *
 * @throws the reason of `stop` when that is aborted meanwhile; nothing is left running
 */
export async function openDatabase(options: OpenDatabaseOptions): Promise<OpenDatabase> {
  const { config } = options;
  const embedded = config.DATABASE_URL === undefined ? await startEmbedded(options) : null;
  const primaryUrls = parsePostgresUrl(embedded?.url ?? config.DATABASE_URL ?? '') ?? [];
  const replicaUrls = config.DATABASE_REPLICA_URLS.flatMap((url) => parsePostgresUrl(url) ?? []);
  const close = async () => embedded?.stop();
  try {
    await prepare(primaryUrls, options, config.MIGRATE_ON_START ?? embedded !== null);
    return { urls: [...new Set([...primaryUrls, ...replicaUrls])], close };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * Waits until another process has migrated the database of `DATABASE_URL`; changes nothing in it.
 *
 * @throws the reason of `stop` when that is aborted meanwhile
 */
export async function untilMigrated(options: MigrationOptions): Promise<void> {
  await prepare(parsePostgresUrl(options.config.DATABASE_URL ?? '') ?? [], options, false);
}

async function prepare(urls: readonly string[], options: MigrationOptions, migrates: boolean): Promise<void> {
  try {
    await migrateOrWait(urls, options, migrates);
  } catch (error) {
    options.stop.throwIfAborted();
    throw error;
  }
}

async function migrateOrWait(
  urls: readonly string[],
  options: MigrationOptions,
  migrates: boolean,
): Promise<void> {
  const { config, applicationName, stop } = options;
  const features = [platformPersistence, ...options.features];
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

/** A session on the first of the servers that is not in recovery. */
async function connectToPrimary(
  urls: readonly string[],
  config: ConnectionConfig,
  applicationName: string,
): Promise<{ client: PostgresClient; url: string }> {
  let failure: unknown = new NoPrimary('None of the servers of DATABASE_URL is a primary.');
  for (const url of urls) {
    const client = new PostgresClient({
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

/** Where `stop` is aborted meanwhile, the start is still waited for: then the server can be stopped, and is not left behind. */
async function startEmbedded({ config, stop, startEmbedded }: OpenDatabaseOptions): Promise<RunningPostgres> {
  stop.throwIfAborted();
  return startEmbedded(config.DATA_DIR).catch((error: unknown) => {
    // Ctrl-C reaches the programs of the server, too.
    stop.throwIfAborted();
    throw error;
  });
}

/** A database that is not there yet is waited for: the probes say that this process has not started. */
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
