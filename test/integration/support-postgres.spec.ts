import { startReplicatedPostgres, type ReplicatedPostgres } from '../support/replicated-postgres.js';
import type { PostgresNode } from '../support/postgres-node.js';
import { runSql } from '../support/test-database.js';
import { waitFor } from '../support/wait.js';

const version = Number(process.env['TEST_POSTGRES_VERSION'] ?? 18);

let servers: ReplicatedPostgres;
let primary: PostgresNode;
let first: PostgresNode;
let second: PostgresNode;

beforeAll(async () => {
  servers = await startReplicatedPostgres({ version, synchronous: true });
  primary = servers.primary;
  [first, second] = servers.replicas as [PostgresNode, PostgresNode];
  await runSql(primary.adminUrl, 'CREATE TABLE words (word text PRIMARY KEY)');
}, 90_000);
afterAll(() => servers.stop());

const write = (node: PostgresNode, word: string): Promise<unknown> =>
  runSql(node.adminUrl, 'INSERT INTO words VALUES ($1)', [word]);

const shows = async (node: PostgresNode, word: string): Promise<boolean> =>
  (await runSql(node.adminUrl, 'SELECT FROM words WHERE word = $1', [word])).length > 0;

const untilShown = (node: PostgresNode, word: string): Promise<unknown> =>
  waitFor(() => shows(node, word), { what: `${word} on ${node.name}`, intervalMs: 20 });

/** Waits until the replica has received all WAL of the primary, visible or not. */
const untilReceived = async (node: PostgresNode): Promise<void> => {
  const [row] = await runSql(primary.adminUrl, 'SELECT pg_current_wal_flush_lsn()::text AS lsn');
  const received = 'SELECT pg_last_wal_receive_lsn() >= $1::pg_lsn AS all';
  await waitFor(async () => (await runSql(node.adminUrl, received, [row?.['lsn']]))[0]?.['all']);
};

describe('startReplicatedPostgres', () => {
  it('replicates commits of the primary to both replicas, which accept no writes', async () => {
    await write(primary, 'one');
    await Promise.all([untilShown(first, 'one'), untilShown(second, 'one')]);
    await expect(write(first, 'two')).rejects.toMatchObject({ code: '25006' });
  });

  it('hides commits on a replica whose replay is paused, until it is resumed', async () => {
    await first.pauseReplay();
    await write(primary, 'paused');
    await untilReceived(first);
    expect(await shows(first, 'paused')).toBe(false);
    await first.resumeReplay();
    await untilShown(first, 'paused');
  });

  it('hides commits on a replica with delayed replay', async () => {
    await first.setApplyDelay(3_600_000);
    await write(primary, 'delayed');
    await untilReceived(first);
    await untilShown(second, 'delayed');
    expect(await shows(first, 'delayed')).toBe(false);
    await first.setApplyDelay(0);
    await untilShown(first, 'delayed');
  });

  it('keeps its data when killed, and catches up when started again', async () => {
    await first.kill();
    await expect(shows(first, 'one')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await write(primary, 'meanwhile');
    await first.start();
    await untilShown(first, 'meanwhile');
    expect(await shows(first, 'one')).toBe(true);
  });

  it('does not answer while paused, and answers again when resumed', async () => {
    second.pause();
    let answered = false;
    const answer = shows(second, 'one').finally(() => (answered = true));
    await write(primary, 'while paused');
    await untilShown(first, 'while paused');
    expect(answered).toBe(false);
    second.resume();
    expect(await answer).toBe(true);
    await untilShown(second, 'while paused');
  });

  it('continues from a promoted replica, which the others follow, including the old primary', async () => {
    // Only the second server has this commit, so it must be cloned again to follow the first.
    await first.kill();
    await write(primary, 'lost');
    await untilShown(second, 'lost');
    await primary.kill();
    await first.start();
    await first.promote();
    await second.follow(first);
    await write(first, 'after the promotion');
    await untilShown(second, 'after the promotion');
    expect(await shows(second, 'lost')).toBe(false);
    await primary.follow(first);
    await untilShown(primary, 'after the promotion');
    await first.kill();
    await second.promote();
    await primary.follow(second);
    await write(second, 'once more');
    await untilShown(primary, 'once more');
  });
});
