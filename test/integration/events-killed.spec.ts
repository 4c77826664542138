import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { migrate } from '../../libs/platform/postgres/migrator.js';
import { platformPersistence } from '../../libs/platform/postgres/platform.persistence.js';
import { logger } from '../../libs/platform/logging/logger.js';
import { eventSchema } from '../support/event-schema.js';
import { runSql, sharedDatabase } from '../support/test-database.js';
import { waitFor } from '../support/wait.js';

jest.setTimeout(180_000);
logger.level = 'silent';

const eventCount = 10_000;
const kills = 8;
const root = join(import.meta.dirname, '..', '..');

let url: string;
const running: ChildProcess[] = [];
beforeAll(async () => {
  url = await sharedDatabase('kills');
  await migrate(url, [platformPersistence]);
  await runSql(url, eventSchema(['things'], ['first', 'second']));
});
afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
});

/** A process that relays and consumes; it is killed before its work is done. */
async function start(): Promise<ChildProcess> {
  const program = ['--import', './scripts/built-hook.mjs', 'test/support/counting-consumers.ts'];
  const child = spawn(join(root, 'node_modules', '.bin', 'node'), program, {
    cwd: root,
    env: { PATH: process.env['PATH'], DATABASE_URL: url },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  running.push(child);
  await once(child.stdout, 'data');
  return child;
}

const count = async (sql: string): Promise<number> => Number((await runSql(url, sql))[0]?.['count']);
const effects = () => count('SELECT count(*)::int AS count FROM things.effects');

it('10,000 events have one effect with each of two consumers, although their processes are killed again and again', async () => {
  let processes = await Promise.all([start(), start(), start()]);
  for (let n = 0; n < 10; n++)
    await runSql(
      url,
      `INSERT INTO things.outbox (id, topic, payload)
       SELECT gen_random_uuid(), 'thing.happened', jsonb_build_object('name', $1::text || n)
       FROM generate_series(1, ${eventCount / 10}) AS n`,
      [`${randomUUID()} `],
    );
  for (let n = 1; n <= kills; n++) {
    // Each time in the middle of the work.
    await waitFor(async () => (await effects()) >= (n * 2 * eventCount) / (kills + 2), { timeoutMs: 60_000 });
    const [victim, ...others] = processes;
    victim.kill('SIGKILL');
    processes = [...others, await start()];
  }
  const unfinished = `SELECT (SELECT count(*) FROM things.outbox) + (SELECT count(*) FROM first.inbox WHERE done_at IS NULL)
    + (SELECT count(*) FROM second.inbox WHERE done_at IS NULL) AS count`;
  await waitFor(async () => (await count(unfinished)) === 0, { timeoutMs: 60_000 });
  const found = await runSql(
    url,
    `SELECT consumer, count(*)::int AS effects, count(DISTINCT event_id)::int AS events, count(DISTINCT name)::int AS names
     FROM things.effects GROUP BY consumer ORDER BY consumer`,
  );
  const all = { effects: eventCount, events: eventCount, names: eventCount };
  expect(found).toEqual([
    { consumer: 'first', ...all },
    { consumer: 'second', ...all },
  ]);
});
