import { setTimeout } from 'node:timers/promises';
import type { ClientBase } from 'pg';
import { DataSource } from 'typeorm';
import { logger } from '../logging/logger.js';
import { typedDriver } from './data-source.js';
import type { Persistence } from './persistence.js';
import { PostgresClient } from './postgres-client.js';

/** Any number will do, as long as all migrators of this product take the same one. */
const migrationLock = 7_461_073_501;

/**
 * Brings the schemas of `features` up to date. Several processes may call it at once: an advisory lock lets one at a time
 * work, and those that waited find nothing left to do. Each feature has its list of applied migrations in its own schema,
 * and each migration is a transaction, unless it says otherwise because it builds an index while rows are written.
 */
export async function migrate(
  url: string,
  features: readonly Persistence[],
  options: { lockTimeoutMs?: number; statementTimeoutMs?: number } = {},
): Promise<readonly string[]> {
  const { lockTimeoutMs = 120_000, statementTimeoutMs = 600_000 } = options;
  const lock = new PostgresClient({
    connectionString: url,
    application_name: 'task-api-migrate',
    connectionTimeoutMillis: 5000,
    keepAlive: true,
    answerTimeoutMs: 10_000,
  });
  // Where this connection breaks, the migration's own breaks, too: its error is the one to report.
  lock.on('error', (error) => {
    logger.warn({ err: error }, 'the connection that holds the migration lock was lost');
  });
  await lock.connect();
  try {
    await takeLock(lock, lockTimeoutMs);
    const applied: string[] = [];
    for (const feature of features) {
      await lock.query(`CREATE SCHEMA IF NOT EXISTS ${lock.escapeIdentifier(feature.schema)}`);
      applied.push(...(await migrateFeature(url, feature, statementTimeoutMs)));
    }
    return applied;
  } finally {
    await lock.end();
  }
}

/**
 * By attempts: a statement that waits for the lock has a snapshot, and an index that the holder of the lock builds
 * concurrently waits for all older snapshots to end.
 */
async function takeLock(client: PostgresClient, timeoutMs: number): Promise<void> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const { rows } = await client.query<{ taken: boolean }>('SELECT pg_try_advisory_lock($1) AS taken', [
      migrationLock,
    ]);
    if (rows[0]?.taken === true) return;
    if (performance.now() > end) {
      throw new Error(`Another process has been migrating for ${timeoutMs / 1000} s.`);
    }
    await setTimeout(200);
  }
}

async function migrateFeature(
  url: string,
  feature: Persistence,
  statementTimeoutMs: number,
): Promise<string[]> {
  const dataSource = new DataSource({
    type: 'postgres',
    url,
    driver: typedDriver,
    schema: feature.schema,
    migrations: [...feature.migrations],
    migrationsTableName: 'migrations',
    migrationsTransactionMode: 'each',
    installExtensions: false,
    applicationName: 'task-api-migrate',
    poolSize: 2,
    connectTimeoutMS: 5000,
    extra: {
      statement_timeout: statementTimeoutMs,
      lock_timeout: 10_000,
      answerTimeoutMs: statementTimeoutMs + 1000,
    },
  });
  await dataSource.initialize();
  try {
    const migrations = await dataSource.runMigrations();
    for (const { name } of migrations) logger.info({ migration: name, schema: feature.schema }, 'migrated');
    return migrations.map(({ name }) => name);
  } finally {
    await dataSource.destroy();
  }
}

/** How many migrations of `features` the database still lacks; an unknown schema lacks all of them. */
export async function pendingMigrations(
  client: ClientBase,
  features: readonly Persistence[],
): Promise<number> {
  let pending = 0;
  for (const { schema, migrations } of features) {
    const applied = await appliedMigrations(client, schema);
    pending += migrations.filter(({ name }) => !applied.has(name)).length;
  }
  return pending;
}

async function appliedMigrations(client: ClientBase, schema: string): Promise<ReadonlySet<string>> {
  const table = await client.query<{ exists: boolean }>('SELECT to_regclass($1) IS NOT NULL AS exists', [
    `${schema}.migrations`,
  ]);
  if (table.rows[0]?.exists !== true) return new Set();
  const { rows } = await client.query<{ name: string }>(
    `SELECT name FROM ${client.escapeIdentifier(schema)}.migrations`,
  );
  return new Set(rows.map(({ name }) => name));
}
