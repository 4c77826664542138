import { copyFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Client } from 'pg';
import type { PostgresCluster } from '../../libs/embedded/postgres-cluster.js';
import { postgresAccount } from '../../libs/embedded/postgres-process.js';

/** Files that belong to the running original only, and the WAL, which the clone gets by streaming. */
const left = [
  'pg_wal',
  'postmaster.pid',
  'postmaster.opts',
  'postgresql.auto.conf',
  'standby.signal',
  'backup_label',
];

/**
 * Turns the cluster into a copy, for a standby, of a server that runs on this machine. pg_basebackup would do the same,
 * but the npm packages do not include it.
 */
export async function cloneServer(adminUrl: string, to: PostgresCluster): Promise<void> {
  const folder = dirname(to.data);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const label = await backUp(adminUrl, (from) => copyFolder(from, to.data, left));
  await writeFile(join(to.data, 'backup_label'), label);
  await writeFile(join(to.data, 'standby.signal'), '');
  await mkdir(join(to.data, 'pg_wal'), { mode: 0o700 });
  // Gives the files, which root created, to the server's account.
  await postgresAccount(folder, to.binaries.postgres);
}

/** Copies the files during an online backup, whose session must stay open until the end. Returns the backup's label. */
async function backUp(adminUrl: string, copy: (data: string) => Promise<void>): Promise<string> {
  const client = new Client({
    connectionString: adminUrl,
    connectionTimeoutMillis: 5000,
    query_timeout: 30_000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ data: string }>(
      "SELECT current_setting('data_directory') AS data, pg_backup_start('clone', fast => true)",
    );
    await copy(rows[0]?.data ?? '');
    const stopped = await client.query<{ label: string }>(
      'SELECT labelfile AS label FROM pg_backup_stop(wait_for_archive => false)',
    );
    return stopped.rows[0]?.label ?? '';
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Files may disappear during the copy; the WAL contains what a backup needs of them. */
async function copyFolder(from: string, to: string, without: readonly string[] = []): Promise<void> {
  await mkdir(to, { mode: 0o700 });
  const entries = await readdir(from, { withFileTypes: true }).catch(ignoreMissing);
  const copies = (entries ?? [])
    .filter(({ name }) => !without.includes(name))
    .map((entry) => {
      const [source, target] = [join(from, entry.name), join(to, entry.name)];
      return entry.isDirectory() ? copyFolder(source, target) : copyFile(source, target).catch(ignoreMissing);
    });
  await Promise.all(copies);
}

function ignoreMissing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
}
