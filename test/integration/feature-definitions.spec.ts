import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { features } from '../../apps/features.js';
import { persistenceOf } from '../../libs/platform/features/persistence-of.js';
import { logger } from '../../libs/platform/logging/logger.js';
import { openTestDataPath, type TestDataPath } from '../support/test-data-path.js';

const libs = join(import.meta.dirname, '..', '..', 'libs');

/** Columns that intentionally no entity has. */
const withoutProperty = [
  // Only the SQL of sessions and refresh tokens uses them.
  'auth.sessions.expires_at',
  'auth.sessions.idle_expires_at',
  'auth.sessions.network',
  'auth.sessions.refresh_hash',
];

let database: TestDataPath;

beforeAll(async () => {
  logger.level = 'silent';
  database = await openTestDataPath('features', persistenceOf(features));
});
afterAll(() => database.close());

describe('the definition of each feature', () => {
  it('lists every migration of its folder, in order', async () => {
    const written = await migrationsByFolder();
    const listed = features.map(({ name, migrations }) => [
      name,
      migrations.map((migration) => migration.name),
    ]);
    expect(Object.fromEntries(listed)).toEqual(written);
  });

  it('has an entity with the columns of its table, no more and no fewer', async () => {
    const tables = database.dataSource.entityMetadatas.filter(({ schema }) => schema !== undefined);
    const ofEntities = tables.flatMap(({ tablePath, columns }) =>
      columns.map(({ databaseName }) => `${tablePath}.${databaseName}`),
    );
    const ofTables = await columnsOf(tables.map(({ tablePath }) => tablePath));
    expect(ofEntities.sort()).toEqual(ofTables.filter((column) => !withoutProperty.includes(column)));
    expect(ofTables).toEqual(expect.arrayContaining(withoutProperty));
  });

  it('has the tables that its options require', async () => {
    const needed = features.flatMap(({ name, hasOutbox, hasIdempotency, consumers }) => [
      ...(hasOutbox ? [`${name}.outbox`] : []),
      ...(consumers.length > 0 ? [`${name}.inbox`] : []),
      ...(hasIdempotency ? [`${name}.idempotency_keys`] : []),
    ]);
    const found = await database.dataSource.query<{ name: string }[]>(
      `SELECT table_schema || '.' || table_name AS name FROM information_schema.tables
       WHERE table_name IN ('outbox', 'inbox', 'idempotency_keys')`,
    );
    expect(found.map(({ name }) => name).sort()).toEqual(needed.sort());
  });
});

/** Names of the classes in `libs/<feature>/migrations`, in the order of the files. */
async function migrationsByFolder(): Promise<Readonly<Record<string, readonly string[]>>> {
  const byFeature: Record<string, string[]> = {};
  const files = await readdir(libs, { recursive: true });
  for (const file of files.filter((name) => /^\w+\/migrations\/\d+-.*\.ts$/.test(name)).sort()) {
    const [feature = ''] = file.split('/', 1);
    const module = (await import(join(libs, file))) as object;
    byFeature[feature] = [...(byFeature[feature] ?? []), ...Object.keys(module)];
  }
  return byFeature;
}

async function columnsOf(tables: readonly string[]): Promise<string[]> {
  const rows = await database.dataSource.query<{ name: string }[]>(
    `SELECT table_schema || '.' || table_name || '.' || column_name AS name FROM information_schema.columns
     WHERE table_schema || '.' || table_name = ANY ($1)`,
    [tables],
  );
  return rows.map(({ name }) => name).sort();
}
