import { jest } from '@jest/globals';
import { logger } from '../../libs/platform/logging/logger.js';
import { databaseOf } from '../../libs/platform/positions/position.js';
import { leaseLock, probeSql } from '../../libs/platform/postgres/probe-sql.js';
import { startPostgres, type TestPostgres } from '../support/postgres.js';
import { startReplicatedPostgres } from '../support/replicated-postgres.js';
import { openTestDataPath } from '../support/test-data-path.js';
import { createDatabase, runSql } from '../support/test-database.js';
import { waitFor } from '../support/wait.js';

// Longer where a program has to be installed first.
jest.setTimeout(120_000);
logger.level = 'silent';

const nameOf = (url: string) => new URL(url).pathname.slice(1);

/** What a process finds that begins to use the database, and ends again. */
async function adopt(url: string): Promise<string> {
  const opened = await openTestDataPath('identity', [], { DATABASE_URL: url }, 'command');
  try {
    const state = opened.path.servers.primary?.state ?? null;
    if (state === null) throw new Error('There is no primary.');
    return databaseOf(state.position);
  } finally {
    await opened.close();
  }
}

/** An empty database of a role that may do nothing else. */
async function plainDatabase(postgres: TestPostgres): Promise<string> {
  const url = new URL(await postgres.createDatabase('plain'));
  const role = nameOf(url.href);
  await runSql(postgres.adminUrl, `CREATE ROLE ${role} LOGIN PASSWORD 'secret'`);
  await runSql(postgres.adminUrl, `ALTER DATABASE ${role} OWNER TO ${role}`);
  return Object.assign(url, { username: role, password: 'secret' }).href;
}

describe.each([15, 18])(
  'the id of a database on Postgres %d, for a role without special rights',
  (version) => {
    let postgres: TestPostgres;
    let url: string;

    beforeAll(async () => {
      postgres = await startPostgres({ version });
      url = await plainDatabase(postgres);
    });
    afterAll(() => postgres.stop());

    it('is given by the first process, and stays when processes and the server start anew', async () => {
      const id = await adopt(url);
      expect(id).toMatch(/^(?!0{16})[0-9a-f]{16}$/);
      expect(await runSql(url, 'SELECT id FROM platform.database_identity')).toEqual([{ id }]);
      expect(await adopt(url)).toBe(id);
      await postgres.kill();
      await postgres.start();
      expect(await adopt(url)).toBe(id);
    });

    it('is another one in a copy under another name, and in the original under a new name', async () => {
      const id = await adopt(url);
      const copy = `${nameOf(url)}_copy`;
      await runSql(
        postgres.adminUrl,
        `CREATE DATABASE ${copy} TEMPLATE ${nameOf(url)} OWNER ${new URL(url).username}`,
      );
      const copyUrl = url.replace(/[^/]*$/, copy);
      expect(await adopt(copyUrl)).not.toBe(id);
      expect(await adopt(url)).toBe(id);
      await runSql(postgres.adminUrl, `ALTER DATABASE ${copy} RENAME TO ${copy}_renamed`);
      const before = await runSql(`${copyUrl}_renamed`, 'SELECT id FROM platform.database_identity');
      expect([id, before[0]?.['id']]).not.toContain(await adopt(`${copyUrl}_renamed`));
    });

    it('is another one where a dump of it was loaded into a database of the same name', async () => {
      const id = await adopt(url);
      const [dumped] = await runSql(url, 'SELECT * FROM platform.database_identity');
      const [name, role] = [nameOf(url), new URL(url).username];
      await runSql(postgres.adminUrl, `DROP DATABASE ${name} WITH (FORCE)`);
      await runSql(postgres.adminUrl, `CREATE DATABASE ${name} OWNER ${role}`);
      await adopt(url);
      await runSql(url, 'DELETE FROM platform.database_identity');
      await runSql(
        url,
        'INSERT INTO platform.database_identity SELECT * FROM json_populate_record(NULL::platform.database_identity, $1)',
        [JSON.stringify(dumped)],
      );
      expect(await adopt(url)).not.toBe(id);
    });

    it('comes with the leases and the locks of other roles', async () => {
      await adopt(url);
      const holder = '0197a000-0000-7000-8000-00000000000f';
      const probe = async () => (await runSql(url, probeSql, ['0197a000-0000-7000-8000-000000000000']))[0];
      await runSql(url, `INSERT INTO platform.leases VALUES ($1, clock_timestamp() - interval '1 minute')`, [
        holder,
      ]);
      expect(await probe()).toMatchObject({ leases: 0, identified: true, standby: false });
      const admin = Object.assign(new URL(postgres.adminUrl), { pathname: `/${nameOf(url)}` }).href;
      const locked = runSql(
        admin,
        `SELECT pg_advisory_xact_lock_shared(${leaseLock}, hashtext($1::text)), pg_sleep(1)`,
        [holder],
      );
      await waitFor(async () => (await probe())?.['leases'] === 1, { intervalMs: 20 });
      await locked;
      expect(await probe()).toMatchObject({ leases: 0 });
    });
  },
);

describe('the id of a database with a standby', () => {
  it('stays when that is promoted', async () => {
    const postgres = await startReplicatedPostgres({ replicas: 1 });
    try {
      const url = await createDatabase(postgres.primary.adminUrl, 'promoted');
      const id = await adopt(url);
      const [standby] = postgres.replicas;
      if (standby === undefined) throw new Error('There is one replica.');
      const found = () => runSql(standby.url(nameOf(url)), 'SELECT id FROM platform.database_identity');
      await waitFor(async () => (await found())[0]?.['id'] === id);
      await postgres.primary.kill();
      await standby.promote();
      expect(await adopt(standby.url(nameOf(url)))).toBe(id);
    } finally {
      await postgres.stop();
    }
  });
});
