import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import type { EventMeta } from '../../libs/platform/events/event.js';
import type { Outbox } from '../../libs/platform/events/outbox.js';
import { waitFor } from '../support/wait.js';
import {
  concerned,
  happened,
  ignored,
  openEventsFixture,
  type EventsFixture,
  type Handle,
} from './events-fixture.js';

const seenByNobody = { scopes: [] };

let events: EventsFixture;
beforeAll(async () => {
  events = await openEventsFixture();
});
afterEach(() => events.reset());
afterAll(() => events.close());

const tell = (outbox: Outbox, name: string, delaySeconds = 0) =>
  events
    .database('things')
    .write((manager) => outbox.append(manager, happened, { name }, delaySeconds), seenByNobody);
const query = <T = object>(sql: string, values: unknown[] = []) => events.dataSource.query<T[]>(sql, values);
const inOutbox = () => query<{ topic: string; attempts: number }>('SELECT * FROM things.outbox');
interface InboxRow {
  readonly attempts: number;
  readonly payload: unknown;
  readonly failed_at: Date | null;
  readonly done_at: Date | null;
}
const inInbox = (feature: string) => query<InboxRow>(`SELECT * FROM ${feature}.inbox ORDER BY event_id`);
const isDone = async (feature: string, count = 1) =>
  (await inInbox(feature)).filter(({ done_at }) => done_at !== null).length === count;
const makeDue = (feature: string) => query(`UPDATE ${feature}.inbox SET available_at = now()`);
const nothing: Handle = () => undefined;

describe.each([
  { where: 'the database of its outbox', isFar: false },
  { where: 'another database', isFar: true },
])('an event whose inboxes are in $where', ({ isFar }) => {
  it('reaches each consumer once, although several processes relay', async () => {
    const heard: string[] = [];
    const note = (name: string) => void heard.push(name);
    const processes = [1, 2, 3].map(() => events.start({ first: note, second: note, isFar }));
    const names = Array.from({ length: 250 }, (_, n) => `event ${n}`);
    // All at once would wait longer for the few connections of the pool than it allows.
    const waiting = names.entries();
    const publish = async () => {
      for (const [n, name] of waiting) await tell(processes[n % 3]?.outbox as Outbox, name);
    };
    await Promise.all(Array.from({ length: 20 }, publish));
    await waitFor(async () => (await isDone('first', 250)) && (await isDone('second', 250)));
    expect(heard.sort()).toEqual([...names, ...names].sort());
    expect(await inOutbox()).toEqual([]);
  });

  it('does not wait for an inbox that is none of its own', async () => {
    const heard: string[] = [];
    const { outbox } = events.start({ first: (name) => void heard.push(name), second: nothing, isFar });
    // Without the time-outs of the service's own connections.
    const blocker = new Client({ connectionString: events.url });
    await blocker.connect();
    await blocker.query('BEGIN');
    await blocker.query('LOCK TABLE second.inbox IN ACCESS EXCLUSIVE MODE');
    await tell(outbox, 'for both');
    await events
      .database('things')
      .write((manager) => outbox.append(manager, concerned, { name: 'for one' }), seenByNobody);
    await waitFor(() => heard.includes('for one'), { timeoutMs: 20_000 });
    await blocker.end();
    await waitFor(() => heard.includes('for both'), { timeoutMs: 40_000 });
  }, 90_000);
});

describe('an event', () => {
  it('is relayed while others are published all the time', async () => {
    const { outbox } = events.start({ first: nothing, second: nothing });
    const told: Promise<unknown>[] = [];
    const publishing = setInterval(() => told.push(tell(outbox, `event ${told.length}`)), 20);
    try {
      await waitFor(async () => (await inInbox('first')).length > 10);
    } finally {
      clearInterval(publishing);
      // One that commits later would be an event of the next test.
      await Promise.all(told);
    }
  });

  it('of a committed transaction reaches each of its consumers, and none of a rolled-back one does', async () => {
    const heard: string[] = [];
    const note = (feature: string) => (name: string) => void heard.push(`${feature} ${name}`);
    const { outbox } = events.start({ first: note('first'), second: note('second') });
    const failing = events.database('things').write(async (manager) => {
      await outbox.append(manager, happened, { name: 'rolled back' });
      throw new Error('no');
    }, seenByNobody);
    await expect(failing).rejects.toThrow('no');
    await tell(outbox, 'committed');
    await waitFor(async () => (await isDone('first')) && (await isDone('second')));
    expect(heard.sort()).toEqual(['first committed', 'second committed']);
    expect(await inOutbox()).toEqual([]);
    // What is done keeps nothing of its content.
    expect((await inInbox('first'))[0]?.payload).toBeNull();
  });

  it('that was taken but can not be handled before its lease ends is given back, which is no attempt', async () => {
    const heard: string[] = [];
    // Only those with which a batch begins have enough time.
    const timing = { leaseSeconds: 1, timeoutMs: 1000 };
    const { outbox } = events.start({ first: (name) => void heard.push(name), second: nothing, timing });
    const names = Array.from({ length: 60 }, (_, n) => `event ${n}`);
    await Promise.all(names.map((name) => tell(outbox, name)));
    await waitFor(() => isDone('first', 60));
    expect(heard.sort()).toEqual([...names].sort());
    expect(new Set((await inInbox('first')).map(({ attempts }) => attempts))).toEqual(new Set([1]));
  });

  it('that a consumer has taken but not begun is given back when its process stops', async () => {
    const heard: string[] = [];
    const begun = Promise.withResolvers<undefined>();
    const ended = Promise.withResolvers<undefined>();
    const first: Handle = async (name) => {
      heard.push(name);
      if (name === 'quick') return;
      begun.resolve(undefined);
      await ended.promise;
    };
    const process = events.start({ first, second: nothing });
    // Which shows that the consumer is quick: it gets many at once from now on.
    for (let n = 1; n <= 6; n++) {
      await tell(process.outbox, 'quick');
      await waitFor(() => isDone('first', n));
    }
    await Promise.all(Array.from({ length: 60 }, (_, n) => tell(process.outbox, `slow ${n}`)));
    await begun.promise;
    await waitFor(async () => (await inInbox('first')).length === 66);
    const stopped = process.stop();
    ended.resolve(undefined);
    await stopped;
    const left = (await inInbox('first')).filter(({ done_at }) => done_at === null);
    expect(left.length).toBe(66 - heard.length);
    expect(left.length).toBeGreaterThan(40);
    expect(new Set(left.map(({ attempts }) => attempts))).toEqual(new Set([0]));
  });

  it('is handled once by each consumer, although several processes relay and consume', async () => {
    const heard: string[] = [];
    const note = (name: string) => void heard.push(name);
    const processes = [1, 2, 3].map(() => events.start({ first: note, second: note }));
    const names = Array.from({ length: 60 }, (_, n) => `event ${n}`);
    await Promise.all(names.map((name, n) => tell(processes[n % 3]?.outbox as Outbox, name)));
    await waitFor(async () => (await isDone('first', 60)) && (await isDone('second', 60)));
    expect(heard.sort()).toEqual([...names, ...names].sort());
  });

  it('of a topic that no app consumes is not written', async () => {
    const { outbox } = events.start({ first: nothing, second: nothing });
    await events.database('things').write((manager) => outbox.append(manager, ignored, {}), seenByNobody);
    expect(await inOutbox()).toEqual([]);
  });

  it('of a topic that this version does not know stays for one that does', async () => {
    const { outbox } = events.start({ first: nothing, second: nothing });
    await query(`INSERT INTO things.outbox (id, topic, payload) VALUES ($1, 'thing.later', '{}')`, [
      randomUUID(),
    ]);
    await tell(outbox, 'ours');
    await waitFor(() => isDone('second'));
    await waitFor(async () => (await inOutbox()).length === 1);
    expect(await inOutbox()).toMatchObject([{ topic: 'thing.later', attempts: 0 }]);
  });

  it('stays where it is while a process does not reach the inbox of one of its consumers', async () => {
    const heard: string[] = [];
    const alone = events.start({ first: (name) => void heard.push(name) });
    await tell(alone.outbox, 'patient');
    await sleep(1500);
    expect([heard, (await inOutbox()).length]).toEqual([[], 1]);
    events.start({ first: (name) => void heard.push(name), second: (name) => void heard.push(name) });
    await waitFor(async () => (await isDone('first')) && (await isDone('second')));
    expect(heard).toEqual(['patient', 'patient']);
  });

  it('that an earlier version wrote, and failed to deliver, is delivered', async () => {
    await query(
      `INSERT INTO things.outbox (id, topic, payload, attempts) VALUES ($1, 'thing.happened', '{"name":"old"}', 5)`,
      [randomUUID()],
    );
    const heard: string[] = [];
    events.start({ first: (name) => void heard.push(name), second: nothing });
    await waitFor(() => heard.length > 0);
    expect(heard).toEqual(['old']);
  });

  it('is delivered no earlier than it is due', async () => {
    const heard: string[] = [];
    const { outbox } = events.start({ first: (name) => void heard.push(name), second: nothing });
    await tell(outbox, 'late', 3600);
    await tell(outbox, 'now');
    await waitFor(() => isDone('first'));
    expect([heard, (await inOutbox()).length]).toEqual([['now'], 1]);
  });
});

describe('a consumer that fails', () => {
  const failing: Handle = () => {
    throw new Error('not now');
  };

  it('has attempts of its own, with growing delays, and re-runs no other consumer', async () => {
    const heard: string[] = [];
    let attempts = 0;
    const first: Handle = () => {
      if (++attempts < 3) throw new Error('not now');
    };
    const { outbox } = events.start({ first, second: (name) => void heard.push(name) });
    await tell(outbox, 'again');
    for (const [attempt, seconds] of [
      [1, 2],
      [2, 4],
    ] as const) {
      const [row] = await waitFor(async () => {
        const rows = await query<{ delay: number }>(
          `SELECT extract(epoch FROM available_at - now())::float8 AS delay FROM first.inbox
           WHERE attempts = $1 AND available_at < now() + interval '10 seconds'`,
          [attempt],
        );
        return rows.length > 0 && rows;
      });
      expect(row?.delay).toBeGreaterThan(seconds - 1.5);
      await makeDue('first');
      await waitFor(() => attempts > attempt);
    }
    await waitFor(() => isDone('first'));
    expect([attempts, heard]).toEqual([3, ['again']]);
  });

  it('sets its event aside after twelve attempts, and the other one does not', async () => {
    const { outbox, metrics } = events.start({ first: failing, second: nothing });
    await tell(outbox, 'never');
    await waitFor(async () => (await inInbox('first')).length > 0);
    await waitFor(async () => {
      await query('UPDATE first.inbox SET attempts = greatest(attempts, 11), available_at = now()');
      return (await inInbox('first'))[0]?.failed_at !== null;
    });
    expect((await inInbox('first'))[0]?.attempts).toBe(12);
    await waitFor(() => isDone('second'));
    // They are counted after the row was written.
    await waitFor(async () => {
      const text = await metrics.registry.getSingleMetricAsString('outbox_deliveries_total');
      expect(text).toContain('{topic="thing.happened",consumer="second.note",result="success"} 1');
      expect(text).toMatch(/consumer="first\.note",result="error"\} [1-9]/);
      return true;
    });
  });
});

describe('an effect in the database of the consumer', () => {
  it('happens once, though two processes handle the event because the lease of the first one ended', async () => {
    const effect = async (name: string, { id, consume }: EventMeta) => {
      const isFirst = ++running === 1;
      if (isFirst) await sleep(2500);
      await events.database('first').write(async (manager) => {
        await consume(manager);
        await manager.query('INSERT INTO things.effects VALUES ($1, $2, $3)', ['first', id, name]);
      }, seenByNobody);
      finished++;
    };
    let [running, finished] = [0, 0];
    const timing = { leaseSeconds: 1, timeoutMs: 10_000 };
    const process = events.start({ first: effect, second: nothing, timing });
    events.start({ first: effect, second: nothing, timing });
    await tell(process.outbox, 'once');
    await waitFor(() => running >= 2 && finished >= 1, { timeoutMs: 15_000 });
    await sleep(3000);
    expect(await query('SELECT consumer, name FROM things.effects')).toEqual([
      { consumer: 'first', name: 'once' },
    ]);
    expect(await isDone('first')).toBe(true);
  });
});

it('what waits is counted, in the outbox and for each consumer', async () => {
  const { outbox, metrics } = events.start({
    first: () => new Promise(() => undefined),
    second: nothing,
    timing: { leaseSeconds: 60, timeoutMs: 3000 },
  });
  const text = (name: string) => metrics.registry.getSingleMetricAsString(name);
  await waitFor(async () => (await text('inbox_pending')).includes('{consumer="first.note"} 0'));
  await tell(outbox, 'one');
  await waitFor(async () => (await text('inbox_pending')).includes('{consumer="first.note"} 1'), {
    timeoutMs: 25_000,
  });
  expect(await text('inbox_pending')).toContain('{consumer="second.note"} 0');
  expect(await text('inbox_failed')).toContain('{consumer="first.note"} 0');
  expect(await text('outbox_pending')).toContain('{schema="things"} 0');
}, 40_000);
