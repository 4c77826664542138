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
/** How much sooner a standby may have answered than the primary. */
const primaryWaitMs = 1000;

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
    const urls = [...new Set([...primaryUrls, ...replicaUrls])];
    await prepare(urls, options, config.MIGRATE_ON_START ?? embedded !== null);
    return { urls, close };
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
  const pending = () =>
    untilAvailable(async () => {
      const { client } = await connectToAny(urls, config, applicationName);
      return pendingMigrations(client, features).finally(() => client.end());
    }, stop);
  if (migrates && (await pending()) > 0) {
    await untilAvailable(async () => {
      const { client, url, isStandby } = await connectToAny(urls, config, applicationName);
      await client.end();
      if (isStandby) throw new NoPrimary('None of the servers is a primary.');
      await migrate(url, features);
    }, stop);
  }
  for (let isFirst = true; ; isFirst = false) {
    const count = await pending();
    if (count === 0) return;
    if (isFirst) logger.warn({ pending: count }, 'waiting for migrations');
    await sleep(retryMs, undefined, { signal: stop });
  }
}

interface Connected {
  readonly client: PostgresClient;
  readonly url: string;
  readonly isStandby: boolean;
}

/**
 * A session on the primary, or, where none of the servers is one, on a standby: what it shows has been on the primary. All are asked
 * at the same time, so that none that is silent keeps the others waiting.
 */
async function connectToAny(
  urls: readonly string[],
  config: ConnectionConfig,
  applicationName: string,
): Promise<Connected> {
  const attempts = urls.map((url) => connectTo(url, config, applicationName));
  const primary = Promise.any(
    attempts.map(async (attempt) => {
      const found = await attempt;
      if (found.isStandby) throw new NoPrimary(`${new URL(found.url).host} is a standby.`);
      return found;
    }),
  );
  const standby = Promise.any(attempts).then(async (found) => {
    if (found.isStandby) await sleep(primaryWaitMs);
    return found;
  });
  try {
    const chosen = await Promise.any([primary, standby]);
    void closeOthers(attempts, chosen);
    return chosen;
  } catch (error) {
    // Each for its own server: the first one is that of the primary, as the configuration has it.
    throw error instanceof AggregateError ? await failureOf(attempts) : error;
  }
}

async function connectTo(url: string, config: ConnectionConfig, applicationName: string): Promise<Connected> {
  const client = new PostgresClient({
    ...clientOptions(url, config, applicationName),
    connectionTimeoutMillis: 5000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ standby: boolean }>('SELECT pg_is_in_recovery() AS standby');
    return { client, url, isStandby: rows[0]?.standby !== false };
  } catch (error) {
    client.cut();
    throw error;
  }
}

async function closeOthers(attempts: readonly Promise<Connected>[], chosen: Connected): Promise<void> {
  for (const attempt of await Promise.allSettled(attempts))
    if (attempt.status === 'fulfilled' && attempt.value !== chosen)
      await attempt.value.client.end().catch(() => undefined);
}

async function failureOf(attempts: readonly Promise<Connected>[]): Promise<unknown> {
  const [first] = await Promise.allSettled(attempts);
  return first?.status === 'rejected' ? first.reason : new NoPrimary('No server of the database answers.');
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
