import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { startFleet, type Fleet, type FleetMember } from '../support/fleet.js';
import type { Session } from '../support/client.js';
import { runSql } from '../support/test-database.js';

const shiftMs = 8000;
const shiftedClock = pathToFileURL(join(import.meta.dirname, '..', 'support', 'shifted-clock.ts')).href;

/** A row of `tasks.tasks`, in milliseconds of Unix time. */
interface Times {
  readonly created: number;
  readonly updated: number;
  readonly completed: number | null;
  readonly deleted: number | null;
}
interface Task {
  readonly id: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly completed_at: string | null;
}

let fleet: Fleet;
/** Processes whose clocks are 8 s ahead of the database's, and 8 s behind it. */
let ahead: FleetMember;
let behind: FleetMember;
let user: Session;

beforeAll(async () => {
  const clock = (n: number) => (n === 0 ? shiftMs : -shiftMs);
  fleet = await startFleet({
    size: 2,
    env: (n) => ({ NODE_OPTIONS: `--import=${shiftedClock}`, CLOCK_SHIFT_MS: String(clock(n)) }),
  });
  [ahead, behind] = [fleet.member(0), fleet.member(1)];
  user = await ahead.registerAndLogin();
}, 90_000);
afterAll(() => fleet.stop());

const sql = <T>(statement: string, values: readonly unknown[] = []) =>
  runSql(ahead.api.databaseUrl, statement, values) as Promise<readonly T[]>;

const databaseNow = async (): Promise<number> => {
  const [row] = await sql<{ now: number }>(
    'SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now',
  );
  return row?.now ?? NaN;
};

const timesOf = async (id: string): Promise<Times> => {
  const ms = (column: string) => `(extract(epoch FROM ${column}_at) * 1000)::float8 AS ${column}`;
  const [row] = await sql<Times>(
    `SELECT ${['created', 'updated', 'completed', 'deleted'].map(ms).join(', ')} FROM tasks.tasks WHERE id = $1`,
    [id],
  );
  if (row === undefined) throw new Error(`There is no task ${id}.`);
  return row;
};

const call = async <T = Task>(process: FleetMember, method: string, path: string, body?: object) => {
  const given = { token: user.accessToken, ...(body !== undefined && { body }) };
  const answer = await process.request<T>(method, path, given);
  expect([200, 201, 204]).toContain(answer.status);
  return answer.body;
};
const create = (process: FleetMember, data = {}) =>
  call(process, 'POST', '/v1/tasks', { title: 'Task', ...data });
const patch = (process: FleetMember, id: string, body: object) =>
  call(process, 'PATCH', `/v1/tasks/${id}`, body);

/** As an answer says it and as a row has it. */
const shown = ({ created_at, updated_at, completed_at }: Task) => ({
  created: Date.parse(created_at),
  updated: Date.parse(updated_at),
  completed: completed_at === null ? null : Date.parse(completed_at),
});

describe('the times of a task', () => {
  it('are the database’s, whatever the clock of the process, and an answer says what is stored', async () => {
    for (const process of [ahead, behind]) {
      const before = await databaseNow();
      const made = await create(process, { status: 'done' });
      const after = await databaseNow();
      const times = await timesOf(made.id);
      expect(times).toMatchObject(shown(made));
      expect(times.created).toBeGreaterThanOrEqual(before);
      expect(times.created).toBeLessThanOrEqual(after);
      expect([times.updated, times.completed]).toEqual([times.created, times.created]);
    }
  });

  it('follow each other, though each change comes from the process whose clock is behind', async () => {
    const before = await databaseNow();
    const { id } = await create(ahead);
    const done = await patch(behind, id, { status: 'done' });
    const completed = await timesOf(id);
    expect(completed).toMatchObject(shown(done));
    expect(completed.completed).toBe(completed.updated);
    await call(behind, 'DELETE', `/v1/tasks/${id}`);
    const deleted = await timesOf(id);
    const restored = await call(behind, 'POST', `/v1/tasks/${id}/restore`);
    const order = [before, completed.created, completed.completed, deleted.deleted, shown(restored).updated];
    expect(order).toEqual([...order, await databaseNow()].sort((a, b) => (a ?? 0) - (b ?? 0)).slice(0, -1));
  });

  it('follow each other in a bulk call, too', async () => {
    const [before, task] = [await databaseNow(), await create(ahead)];
    const { results } = await call<{ results: readonly { task: Task }[] }>(behind, 'POST', '/v1/tasks/bulk', {
      operations: [
        { op: 'update', id: task.id, data: { status: 'done' } },
        { op: 'create', data: { title: 'One', status: 'done' } },
        { op: 'create', data: { title: 'Two' } },
      ],
    });
    const after = await databaseNow();
    for (const { task: changed } of results) {
      const times = await timesOf(changed.id);
      expect(times).toMatchObject(shown(changed));
      expect(times.created).toBeGreaterThanOrEqual(before);
      expect(times.updated).toBeGreaterThanOrEqual(times.created);
      expect(times.updated).toBeLessThanOrEqual(after);
    }
  });

  it('stay where they are while the clock of the database is behind them, as that of a new primary may be', async () => {
    const { id } = await create(behind);
    await sql(
      `UPDATE tasks.tasks SET created_at = created_at + interval '1 hour', updated_at = updated_at + interval '1 hour'
       WHERE id = $1`,
      [id],
    );
    const { updated } = await timesOf(id);
    const changed = await patch(behind, id, { status: 'done' });
    expect(shown(changed)).toEqual({ created: updated, updated, completed: updated });
    await call(behind, 'DELETE', `/v1/tasks/${id}`);
    await expect(timesOf(id)).resolves.toMatchObject({ updated, deleted: updated });
    const restored = await call(behind, 'POST', `/v1/tasks/${id}/restore`);
    expect(shown(restored).updated).toBe(updated);
  });
});

describe('the times of a user', () => {
  it('are the database’s, though one process registers and another one changes the profile', async () => {
    const before = await databaseNow();
    const { accessToken } = await ahead.registerAndLogin();
    const { body } = await behind.request<Task>('PATCH', '/v1/users/me', {
      token: accessToken,
      body: { name: 'Grace' },
    });
    const { created, updated } = shown({ ...body, completed_at: null });
    const order = [before, created, updated, await databaseNow()];
    expect(order).toEqual([...order].sort((a, b) => a - b));
  });

  it('stay where they are while the clock of the database is behind them', async () => {
    const { accessToken, userId } = await ahead.registerAndLogin();
    await sql(`UPDATE users.profiles SET updated_at = updated_at + interval '1 hour' WHERE id = $1`, [
      userId,
    ]);
    const [row] = await sql<{ updated_at: Date }>('SELECT updated_at FROM users.profiles WHERE id = $1', [
      userId,
    ]);
    const options = { token: accessToken, body: { name: 'Grace' } };
    const { body } = await behind.request<Task>('PATCH', '/v1/users/me', options);
    expect(body.updated_at).toBe(row?.updated_at.toISOString());
  });
});
