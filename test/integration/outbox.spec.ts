import { randomUUID } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { z } from 'zod';
import type { Database } from '../../libs/platform/database/database.js';
import { defineEvent } from '../../libs/platform/events/event.js';
import { EventBus } from '../../libs/platform/events/event-bus.js';
import { Outbox } from '../../libs/platform/events/outbox.js';
import { OutboxRelay } from '../../libs/platform/events/outbox-relay.js';
import { PendingEvents } from '../../libs/platform/events/pending-events.js';
import { logger } from '../../libs/platform/logging/logger.js';
import { featureName } from '../../libs/platform/context/feature-name.js';
import { Metrics } from '../../libs/platform/metrics/metrics.js';
import { openTestDataPath, type TestDataPath } from '../support/test-data-path.js';
import { waitFor } from '../support/wait.js';

const happened = defineEvent('thing.happened', z.object({ name: z.string() }));
const ignored = defineEvent('thing.ignored', z.object({}));

const seenByNobody = { scopes: [] };

let databases: TestDataPath;
let dataSource: DataSource;
let database: Database;
const relays: OutboxRelay[] = [];
const metrics = new Metrics();
const pending = new PendingEvents(metrics);

beforeAll(async () => {
  logger.level = 'silent';
  databases = await openTestDataPath('outbox', []);
  ({ dataSource } = databases);
  await dataSource.query(outboxSchema);
  database = databases.path.databases.forFeature(featureName('things'));
});
beforeEach(() => dataSource.query('TRUNCATE things.outbox'));
afterEach(async () => {
  await Promise.all(relays.splice(0).map((relay) => relay.onApplicationShutdown()));
});
afterAll(() => databases.close());

/** The table as a feature's migrations create it. */
const outboxSchema = `
  CREATE SCHEMA things;
  CREATE TABLE things.outbox (
    id uuid NOT NULL CONSTRAINT pk_outbox PRIMARY KEY,
    topic text NOT NULL,
    payload jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    available_at timestamptz NOT NULL DEFAULT now(),
    attempts smallint NOT NULL DEFAULT 0,
    failed_at timestamptz,
    trace jsonb
  )`;

/** Acts like a separate process as far as events are concerned. */
function startRelay(handle: (name: string) => Promise<void> | void): Outbox {
  const bus = new EventBus();
  bus.subscribe(happened, async ({ name }) => {
    await handle(name);
  });
  const outbox = new Outbox('things');
  const relay = new OutboxRelay(outbox, database, bus, pending, metrics);
  relay.onApplicationBootstrap();
  relays.push(relay);
  return outbox;
}

const tell = (outbox: Outbox, name: string) =>
  database.write((manager) => outbox.append(manager, happened, { name }), seenByNobody);
const waiting = () =>
  dataSource.query<{ attempts: number; failed_at: Date | null }[]>('SELECT * FROM things.outbox');

describe('the outbox', () => {
  it('delivers events of committed transactions, and none of rolled-back ones', async () => {
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

  it('delivers each event once, although several processes relay', async () => {
    const heard: string[] = [];
    const outboxes = [1, 2, 3].map(() => startRelay((name) => void heard.push(name)));
    const names = Array.from({ length: 60 }, (_, n) => `event ${n}`);
    await Promise.all(names.map((name, n) => tell(outboxes[n % 3] as Outbox, name)));
    await waitFor(async () => (await waiting()).length === 0);
    expect(heard.sort()).toEqual(names.sort());
  });

  it('delivers an event again if its handler failed, with growing delays', async () => {
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

  it('counts the waiting events', async () => {
    const outbox = new Outbox('things');
    const relay = new OutboxRelay(outbox, database, new EventBus(), pending, metrics);
    for (const name of ['one', 'two']) await tell(outbox, name);
    await dataSource.query(
      'UPDATE things.outbox SET failed_at = now() WHERE id = (SELECT min(id::text)::uuid FROM things.outbox)',
    );
    relay.onApplicationBootstrap();
    relays.push(relay);
    await waitFor(async () =>
      (await metrics.registry.getSingleMetricAsString('outbox_pending')).endsWith('{schema="things"} 1'),
    );
    await relay.onApplicationShutdown();
    expect(await metrics.registry.getSingleMetricAsString('outbox_pending')).not.toContain('things');
  });

  it('sets aside an event that failed too often', async () => {
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

  it('ignores events that this process does not handle', async () => {
    const heard: string[] = [];
    const outbox = startRelay((name) => void heard.push(name));
    await database.write((manager) => outbox.append(manager, ignored, {}), seenByNobody);
    await tell(outbox, 'ours');
    await waitFor(() => heard.length > 0);
    await waitFor(async () => (await waiting()).length === 1);
    expect((await waiting())[0]?.attempts).toBe(0);
  });

  it('delivers an event no earlier than it is due', async () => {
    const heard: string[] = [];
    const outbox = startRelay((name) => void heard.push(name));
    await database.write((manager) => outbox.append(manager, happened, { name: 'late' }, 3600), seenByNobody);
    await tell(outbox, 'now');
    await waitFor(() => heard.length > 0);
    expect(heard).toEqual(['now']);
    // It is removed after it was handled.
    await waitFor(async () => (await waiting()).length === 1);
  });
});
