import { randomUUID } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { z } from 'zod';
import type { Database } from '../../libs/platform/database/database.js';
import { defineEvent, EventBus } from '../../libs/platform/events/event-bus.js';
import { Outbox, outboxTable, outboxTraceColumn } from '../../libs/platform/events/outbox.js';
import { logger } from '../../libs/platform/logging/logger.js';
import { registry } from '../../libs/platform/metrics/registry.js';
import { openTestDatabase, type TestDatabase } from '../support/door.js';
import { waitFor } from '../support/wait.js';

const happened = defineEvent('thing.happened', z.object({ name: z.string() }));
const ignored = defineEvent('thing.ignored', z.object({}));

const seenByNobody = { users: [] };

let databases: TestDatabase;
let dataSource: DataSource;
let database: Database;
const relays: Outbox[] = [];

beforeAll(async () => {
  logger.level = 'silent';
  databases = await openTestDatabase('outbox', []);
  ({ dataSource } = databases);
  await dataSource.query(`CREATE SCHEMA things; ${outboxTable('things')}; ${outboxTraceColumn('things')}`);
  database = databases.path.databases.forFeature('things');
});
beforeEach(() => dataSource.query('TRUNCATE things.outbox'));
afterEach(async () => {
  await Promise.all(relays.splice(0).map((relay) => relay.onApplicationShutdown()));
});
afterAll(() => databases.close());

/** A process of its own, as far as events are concerned. */
function startRelay(handle: (name: string) => Promise<void> | void): Outbox {
  const bus = new EventBus();
  bus.subscribe(happened, async ({ name }) => {
    await handle(name);
  });
  const outbox = new Outbox(database, 'things', bus);
  outbox.onApplicationBootstrap();
  relays.push(outbox);
  return outbox;
}

const tell = (outbox: Outbox, name: string) =>
  database.write((manager) => outbox.append(manager, happened, { name }), seenByNobody);
const waiting = () =>
  dataSource.query<{ attempts: number; failed_at: Date | null }[]>('SELECT * FROM things.outbox');

describe('the outbox', () => {
  it('tells what was committed, and nothing of what was rolled back', async () => {
    const heard: string[] = [];
    const outbox = startRelay((name) => void heard.push(name));
    const failing = database.write(async (manager) => {
      await outbox.append(manager, happened, { name: 'rolled back' });
      throw new Error('no');
    }, seenByNobody);
    await expect(failing).rejects.toThrow('no');
    await tell(outbox, 'committed');
    await waitFor(async () => heard.length > 0 && (await waiting()).length === 0);
    expect(heard).toEqual(['committed']);
  });

  it('tells each event once, though several processes relay', async () => {
    const heard: string[] = [];
    const outboxes = [1, 2, 3].map(() => startRelay((name) => void heard.push(name)));
    const names = Array.from({ length: 60 }, (_, n) => `event ${n}`);
    await Promise.all(names.map((name, n) => tell(outboxes[n % 3] as Outbox, name)));
    await waitFor(async () => (await waiting()).length === 0);
    expect(heard.sort()).toEqual(names.sort());
  });

  it('tells an event again whose handler failed, later each time', async () => {
    let attempts = 0;
    const outbox = startRelay(() => {
      if (++attempts < 3) throw new Error('not now');
    });
    await tell(outbox, randomUUID());
    await waitFor(() => attempts === 1);
    const [row] = await waitFor(async () => {
      const rows = await dataSource.query<{ delay: number }[]>(
        "SELECT extract(epoch FROM available_at - now())::float8 AS delay FROM things.outbox WHERE available_at < now() + interval '10 seconds'",
      );
      return rows.length > 0 && rows;
    });
    expect(row?.delay).toBeGreaterThan(0);
    for (const expected of [2, 3]) {
      await dataSource.query('UPDATE things.outbox SET available_at = now()');
      await waitFor(() => attempts >= expected);
    }
    await waitFor(async () => (await waiting()).length === 0);
  });

  it('tells how many events wait', async () => {
    const outbox = new Outbox(database, 'things', new EventBus());
    for (const name of ['one', 'two']) await tell(outbox, name);
    await dataSource.query(
      'UPDATE things.outbox SET failed_at = now() WHERE id = (SELECT min(id::text)::uuid FROM things.outbox)',
    );
    outbox.onApplicationBootstrap();
    relays.push(outbox);
    await waitFor(async () =>
      (await registry.getSingleMetricAsString('outbox_pending')).endsWith('{schema="things"} 1'),
    );
    await outbox.onApplicationShutdown();
    expect(await registry.getSingleMetricAsString('outbox_pending')).not.toContain('things');
  });

  it('sets an event aside that failed too often', async () => {
    const outbox = startRelay(() => {
      throw new Error('never');
    });
    await tell(outbox, randomUUID());
    await dataSource.query('UPDATE things.outbox SET attempts = 11, available_at = now()');
    const [row] = await waitFor(async () => {
      const rows = await waiting();
      return (rows[0]?.failed_at ?? null) !== null && rows;
    });
    expect(row?.attempts).toBe(12);
  });

  it('leaves events alone that this process does not handle', async () => {
    const heard: string[] = [];
    const outbox = startRelay((name) => void heard.push(name));
    await database.write((manager) => outbox.append(manager, ignored, {}), seenByNobody);
    await tell(outbox, 'ours');
    await waitFor(() => heard.length > 0);
    await waitFor(async () => (await waiting()).length === 1);
    expect((await waiting())[0]?.attempts).toBe(0);
  });

  it('tells an event no earlier than it is due', async () => {
    const heard: string[] = [];
    const outbox = startRelay((name) => void heard.push(name));
    await database.write((manager) => outbox.append(manager, happened, { name: 'late' }, 3600), seenByNobody);
    await tell(outbox, 'now');
    await waitFor(() => heard.length > 0);
    expect(heard).toEqual(['now']);
    // It is taken away once it is handled.
    await waitFor(async () => (await waiting()).length === 1);
  });
});
