import { uuidv7 } from '../../libs/platform/ids/uuid.js';
import type { z } from 'zod';
import { statsQuerySchema, statsSchema, type StatsQuery } from '../../libs/tasks/stats/stats.schemas.js';
import { TaskStatsService, taskStats } from '../../libs/tasks/stats/task-stats.service.js';
import { zoneOffsets } from '../../libs/tasks/stats/zone-offsets.js';
import { priorities, statuses } from '../../libs/tasks/task.entity.js';
import type { Task } from '../../libs/tasks/task.js';
import { UsersPort } from '../../libs/users/users.port.js';
import { openTasksFixture, type TasksFixture } from './tasks-fixture.js';

/** The part of the users feature that the statistics need. */
class UsersInTokyo extends UsersPort {
  ensureProfile = () => Promise.resolve();
  claimsOf = () => Promise.resolve({ role: 'user', tier: 'free' } as const);
  nameOf = () => Promise.resolve('Ada');
  timezoneOf = () => Promise.resolve('Asia/Tokyo');
}

let tasks: TasksFixture;
let service: TaskStatsService;
let userId: string;

beforeAll(async () => {
  tasks = await openTasksFixture();
  service = new TaskStatsService(tasks.database, new UsersInTokyo(), taskStats.open(tasks.path.caches));
});
beforeEach(() => {
  userId = uuidv7();
});
afterAll(() => tasks.close());

type StatsBody = z.output<typeof statsSchema>;

const stats = async (query: Partial<StatsQuery> = {}): Promise<StatsBody> => {
  const { json } = await service.read(userId, statsQuerySchema.parse(query));
  const body = JSON.parse(json) as StatsBody;
  // It is the text that the schema gives: nothing undeclared, and in this order.
  expect(JSON.stringify(statsSchema.parse(statsSchema.encode(body)))).toBe(json);
  return body;
};
const created = (...times: string[]): Partial<Task>[] =>
  times.map((time) => ({ createdAt: new Date(time), updatedAt: new Date(time) }));
const done = (createdAt: string, completedAt: string): Partial<Task> => ({
  createdAt: new Date(createdAt),
  status: 'done',
  completedAt: new Date(completedAt),
});

describe('the series', () => {
  /** Each day with its first and last millisecond, and the hour that is skipped or repeated in between. */
  it.each([
    ['Europe/Berlin', '2026-03-28', '2026-03-28T22:59:59.999Z', '2026-03-29', 23],
    ['Europe/Berlin', '2026-10-24', '2026-10-24T21:59:59.999Z', '2026-10-25', 25],
    ['America/St_Johns', '2026-03-07', '2026-03-08T03:29:59.999Z', '2026-03-08', 23],
    ['America/St_Johns', '2026-10-31', '2026-11-01T02:29:59.999Z', '2026-11-01', 25],
    ['Pacific/Apia', '2026-06-01', '2026-06-01T10:59:59.999Z', '2026-06-02', 24],
    ['America/Havana', '2026-10-31', '2026-11-01T03:59:59.999Z', '2026-11-01', 25],
    ['America/Santiago', '2026-09-05', '2026-09-06T03:59:59.999Z', '2026-09-06', 23],
  ])(
    'has in %s, after %s, which ends with %s, a day %s of %i hours',
    async (timezone, before, lastMoment, day, hours) => {
      const begins = Date.parse(lastMoment) + 1;
      const end = begins + hours * 3_600_000;
      const hourly = Array.from({ length: hours }, (_, n) => new Date(begins + n * 3_600_000).toISOString());
      const after = new Date(Date.parse(day) + 86_400_000).toISOString().slice(0, 10);
      await tasks.addTasks(userId, [
        ...created(lastMoment, ...hourly, new Date(end - 1).toISOString(), new Date(end).toISOString()),
        done('2020-01-01T00:00:00Z', new Date(begins).toISOString()),
        done('2020-01-01T00:00:00Z', new Date(end).toISOString()),
      ]);
      const { series } = await stats({ timezone, from: before, to: after });
      expect(series).toEqual([
        { date: before, created: 1, completed: 0 },
        { date: day, created: hours + 1, completed: 1 },
        { date: after, created: 1, completed: 1 },
      ]);
    },
  );

  it('omits the day that Samoa skipped, and separates the days around it', async () => {
    await tasks.addTasks(userId, created('2011-12-30T09:59:59.999Z', '2011-12-30T10:00:00Z'));
    const { series } = await stats({ timezone: 'Pacific/Apia', from: '2011-12-29', to: '2011-12-31' });
    expect(series.map((day) => day.created)).toEqual([1, 0, 1]);
  });

  it('applies summer time in zones that Postgres treats as abbreviations', async () => {
    await tasks.addTasks(userId, created('2026-07-01T22:30:00Z'));
    for (const timezone of ['CET', 'MET']) {
      const { series } = await stats({ timezone, from: '2026-07-01', to: '2026-07-02' });
      expect(series.map((day) => day.created)).toEqual([0, 1]);
    }
  });

  it('uses the time zone of the profile by default, and today with the 29 days before', async () => {
    const { series, generated_at } = await stats();
    const today = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Asia/Tokyo' }).format(new Date(generated_at));
    expect(series).toHaveLength(30);
    expect(series.at(-1)).toEqual({ date: today, created: 0, completed: 0 });
    expect((await stats({ to: '2026-03-01' })).series[0]?.date).toBe('2026-01-31');
  });

  it('accepts at most 366 days, and no range that ends before it begins', async () => {
    expect((await stats({ from: '2024-01-01', to: '2024-12-31' })).series).toHaveLength(366);
    for (const range of [
      { from: '2024-01-01', to: '2025-01-01' },
      { from: '2026-01-02', to: '2026-01-01' },
      { from: '0001-01-01', to: '9999-12-31' },
    ]) {
      await expect(stats(range)).rejects.toMatchObject({ kind: 'invalid', code: 'validation_failed' });
    }
  });

  it('ends as late as possible if only a start is given', async () => {
    expect((await stats({ from: '2020-01-01' })).series.at(-1)?.date).toBe('2020-12-31');
    const today = new Date().toISOString().slice(0, 10);
    expect((await stats({ from: today, timezone: 'UTC' })).series[0]?.date).toBe(today);
    expect((await stats({ from: '2999-01-01' })).series).toHaveLength(30);
  });

  it('works at both ends of the calendar', async () => {
    for (const day of ['0001-01-01', '9999-12-31'])
      for (const timezone of ['Pacific/Kiritimati', 'Pacific/Niue'])
        expect((await stats({ from: day, to: day, timezone })).series).toHaveLength(1);
    expect((await stats({ to: '0001-01-03' })).series).toHaveLength(3);
    expect((await stats({ from: '9999-12-30' })).series).toHaveLength(2);
  });
});

describe('the figures', () => {
  it('are zero, or null where they would divide by zero, for a user without tasks', async () => {
    expect(await stats()).toMatchObject({
      total: 0,
      by_status: { todo: 0, in_progress: 0, done: 0, cancelled: 0 },
      by_priority: { none: 0, low: 0, medium: 0, high: 0, urgent: 0 },
      ...{ overdue: 0, due_today: 0, due_next_7d: 0, completion_rate: null, avg_completion_seconds: null },
    });
  });

  it('count only live tasks of the user', async () => {
    await tasks.addTasks(uuidv7(), [{}, {}]);
    await tasks.addTasks(userId, [
      { status: 'todo', priority: 'urgent' },
      { status: 'in_progress', priority: 'low' },
      { status: 'cancelled', priority: 'low' },
      done('2026-01-01T00:00:00Z', '2026-01-01T00:00:10Z'),
      done('2026-01-01T00:00:00Z', '2026-01-01T00:00:20.500Z'),
      { ...done('2026-01-01T00:00:00Z', '2026-01-09T00:00:00Z'), deletedAt: new Date() },
    ]);
    expect(await stats()).toMatchObject({
      total: 5,
      by_status: { todo: 1, in_progress: 1, done: 2, cancelled: 1 },
      by_priority: { none: 2, low: 2, medium: 0, high: 0, urgent: 1 },
      completion_rate: 0.5,
      avg_completion_seconds: 15.25,
    });
  });

  it('use only the dates of open tasks', async () => {
    const hours = (n: number) => new Date(Date.now() + n * 3_600_000);
    const due = [hours(-49), hours(-48), hours(1), hours(24 * 7 - 1), hours(24 * 7 + 1)];
    await tasks.addTasks(
      userId,
      statuses.flatMap((status) =>
        due.map((dueAt) => ({ status, dueAt, completedAt: status === 'done' ? new Date() : null })),
      ),
    );
    expect(await stats()).toMatchObject({ overdue: 4, due_next_7d: 4 });
  });

  it('derive today from the time zone', async () => {
    const now = new Date();
    await tasks.addTasks(userId, [{ dueAt: now }]);
    const localDate = (timeZone: string, time: Date) =>
      new Intl.DateTimeFormat('sv-SE', { timeZone }).format(time);
    const zones = ['Pacific/Kiritimati', 'UTC', 'Pacific/Niue'];
    const expected = zones.map((zone) => Number(localDate(zone, now) === localDate(zone, new Date())));
    const found = await Promise.all(zones.map(async (timezone) => (await stats({ timezone })).due_today));
    expect(found).toEqual(expected);
    await tasks.addTasks(userId, [{ dueAt: new Date(now.getTime() - 86_400_000) }]);
    expect((await stats({ timezone: 'UTC' })).due_today).toBe(1);
  });

  it('cover every status and priority', async () => {
    const { by_status, by_priority } = await stats();
    expect([Object.keys(by_status), Object.keys(by_priority)]).toEqual([[...statuses], [...priorities]]);
  });
});

describe('time zones', () => {
  const browserNames = [
    'US/Pacific-New',
    'Asia/Calcutta',
    'America/Buenos_Aires',
    'europe/berlin',
    'utc',
    'eUrOpE/kYiV',
  ];

  it.each([...browserNames, 'CET', 'EST', 'Etc/GMT+5', 'Europe/Kyiv', 'America/Port-au-Prince'])(
    'count by the days of %s, whichever names Postgres knows',
    async (timezone) => {
      await tasks.addTasks(userId, created('2026-07-01T22:30:00Z'));
      const { series } = await stats({ timezone, from: '2026-06-30', to: '2026-07-03' });
      const day = new Intl.DateTimeFormat('sv-SE', { timeZone: timezone }).format(
        Date.parse('2026-07-01T22:30:00Z'),
      );
      expect(series.find(({ date }) => date === day)?.created).toBe(1);
    },
  );

  it('give the days that Node gives, of every zone and over years of its changes', async () => {
    const zones = Intl.supportedValuesOf('timeZone');
    const format = new Map(
      zones.map((timeZone) => [timeZone, new Intl.DateTimeFormat('sv-SE', { timeZone })]),
    );
    const begin = Date.parse('2010-12-01T00:00:00Z');
    // 2011 has the most changes of the kinds that are hard: a day that was skipped, summer times that were suspended.
    const times = Array.from({ length: 366 * 8 }, (_, n) => new Date(begin + n * 3 * 3_600_000 - 1));
    const days: { readonly zone: string; readonly days: string | undefined }[] = [];
    for (const zone of zones) {
      const { from, offsets } = zoneOffsets(zone, '2010-12-02', '2011-11-30', new Date());
      const [row] = await tasks.dataSource.query<{ days: string }[]>(
        `SELECT string_agg(((time AT TIME ZONE 'UTC') + ($2::interval[])[width_bucket(time, $1::timestamptz[])])::date::text,
           ',' ORDER BY time) AS days FROM unnest($3::timestamptz[]) AS time`,
        [from, offsets, times],
      );
      days.push({ zone, days: row?.days });
    }
    const different = days.filter(
      ({ zone, days }) => days !== times.map((time) => format.get(zone)?.format(time)).join(),
    );
    expect(different).toEqual([]);
    expect(days.length).toBeGreaterThan(400);
  });

  it('keep a task of a repeated hour at its day, where clocks went back at a minute past midnight', async () => {
    // 00:01 of 2 November 2008 became 23:01 of the day before.
    await tasks.addTasks(
      userId,
      created('2008-11-02T02:30:30Z', '2008-11-02T02:31:30Z', '2008-11-02T03:30:30Z'),
    );
    const query = { timezone: 'America/St_Johns', from: '2008-11-01', to: '2008-11-02' };
    const local = new Intl.DateTimeFormat('sv-SE', { timeZone: 'America/St_Johns' });
    const expected = ['2008-11-02T02:30:30Z', '2008-11-02T02:31:30Z', '2008-11-02T03:30:30Z'].map((time) =>
      local.format(Date.parse(time)),
    );
    const { series } = await stats(query);
    expect(series.map(({ date, created: count }) => [date, count])).toEqual(
      ['2008-11-01', '2008-11-02'].map((day) => [day, expected.filter((date) => date === day).length]),
    );
    expect(expected).toEqual(['2008-11-02', '2008-11-01', '2008-11-02']);
  });
});
