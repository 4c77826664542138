import { randomBytes } from 'node:crypto';
import { Client } from 'pg';

/** Runs one statement in a new session. */
export async function runSql(
  url: string,
  sql: string,
  values: readonly unknown[] = [],
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5000, query_timeout: 30_000 });
  // If a test kills the server, the query fails.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<Record<string, unknown>>(sql, [...values]);
    return rows;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Creates an empty database. Its name is made unique, so that several runs may share a server. `locale`: of the C library. */
export async function createDatabase(adminUrl: string, name = 'test', locale?: string): Promise<string> {
  const unique = `${name.replaceAll(/[^a-z0-9_]/gi, '_').slice(0, 40)}_${randomBytes(6).toString('hex')}`;
  const options =
    locale === undefined ? '' : `TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER libc LOCALE '${locale}'`;
  await runSql(adminUrl, `CREATE DATABASE "${unique}" ${options}`);
  const url = new URL(adminUrl);
  url.pathname = `/${unique}`;
  return url.href;
}

/** Drops a database and disconnects its clients. */
export async function dropDatabase(adminUrl: string, url: string): Promise<void> {
  await runSql(adminUrl, `DROP DATABASE IF EXISTS "${new URL(url).pathname.slice(1)}" WITH (FORCE)`);
}

/** Creates an empty database on the server that all suites of this run share. */
export async function sharedDatabase(name?: string, locale?: string): Promise<string> {
  return createDatabase(sharedServerUrl(), name, locale);
}

export function sharedServerUrl(): string {
  const url = process.env['TEST_DATABASE_ADMIN_URL'];
  if (url === undefined) throw new Error('TEST_DATABASE_ADMIN_URL is not set: run this suite by npm test.');
  return url;
}
