import { expectProblem } from '../support/problem.js';
import { newCaller, type Caller } from './tasks-fixture.js';

interface StatsBody {
  readonly total: number;
  readonly series: readonly { date: string; created: number; completed: number }[];
  readonly generated_at: string;
}

let user: Caller;

beforeAll(async () => {
  user = await newCaller();
  const due = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString();
  await user.create({ status: 'done', priority: 'high' });
  await user.create({ due_at: due(-48) });
  await user.create({ due_at: due(48), status: 'in_progress' });
  await user.create({ due_at: due(-48), status: 'cancelled' });
  const { id } = await user.create();
  await user.call('DELETE', `/${id}`);
});
afterAll(() => user.close());

const stats = (query = '') => user.call<StatsBody>('GET', `/stats${query}`);
const dateIn = (timeZone: string, time: string) =>
  new Intl.DateTimeFormat('sv-SE', { timeZone }).format(new Date(time));

describe('statistics', () => {
  it('count the live tasks of the caller, by days of the time zone in the profile', async () => {
    const { status, body } = await stats();
    expect([status, body]).toEqual([
      200,
      {
        total: 4,
        by_status: { todo: 1, in_progress: 1, done: 1, cancelled: 1 },
        by_priority: { none: 3, low: 0, medium: 0, high: 1, urgent: 0 },
        ...{ overdue: 1, due_today: 0, due_next_7d: 1 },
        completion_rate: 1 / 3,
        avg_completion_seconds: 0,
        series: expect.any(Array),
        generated_at: expect.stringMatching(/Z$/),
      },
    ]);
    expect(body.series).toHaveLength(30);
    expect(body.series.at(-1)?.date).toBe(dateIn('Europe/Berlin', body.generated_at));
    const made = body.series.reduce((sum, day) => sum + day.created, 0);
    const completed = body.series.reduce((sum, day) => sum + day.completed, 0);
    expect([made, completed]).toEqual([4, 1]);
  });

  it('accept a range and a time zone', async () => {
    const { body } = await stats('?from=2026-03-28&to=2026-03-30&timezone=America/St_Johns');
    expect(body.series).toEqual(
      ['2026-03-28', '2026-03-29', '2026-03-30'].map((date) => ({ date, created: 0, completed: 0 })),
    );
    const far = (await stats('?timezone=Pacific/Kiritimati')).body;
    expect(far.series.at(-1)?.date).toBe(dateIn('Pacific/Kiritimati', far.generated_at));
  });

  it.each([
    ['from=2026-01-02&to=2026-01-01', '/from'],
    ['from=2025-01-01&to=2026-01-02', '/from'],
    ['from=2026-02-30', '/from'],
    ['to=yesterday', '/to'],
    ['timezone=Europe/Atlantis', '/timezone'],
    ['timezone=%2B02:00', '/timezone'],
    ['timezone=UTC&timezone=UTC', '/timezone'],
    ['days=7', '/days'],
  ])('with %s are refused', async (query, pointer) => {
    const problem = expectProblem(await stats(`?${query}`), 422, 'validation_failed');
    expect(problem.errors?.[0]?.pointer).toBe(pointer);
  });
});
