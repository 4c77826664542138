import { Idempotency } from '../../libs/platform/database/idempotency.js';
import type { EventMeta } from '../../libs/platform/events/event.js';
import { EventRoutes } from '../../libs/platform/events/event-routes.js';
import { OnEvent } from '../../libs/platform/events/on-event.js';
import { Outbox } from '../../libs/platform/events/outbox.js';
import { uuidv7 } from '../../libs/platform/ids/uuid.js';
import { Metrics } from '../../libs/platform/metrics/metrics.js';
import { Sweeper } from '../../libs/platform/sweeper/sweeper.js';
import { TaskBulkService } from '../../libs/tasks/bulk/task-bulk.service.js';
import { TaskEvents } from '../../libs/tasks/task-events.js';
import { TaskFinderService } from '../../libs/tasks/task-finder.service.js';
import { TasksConsumers } from '../../libs/tasks/tasks.consumers.js';
import {
  taskCreated,
  taskDeleted,
  taskPurged,
  taskRestored,
  taskUpdated,
} from '../../libs/tasks/tasks.events.js';
import { tasksFeature } from '../../libs/tasks/tasks.feature.js';
import { createTaskSchema } from '../../libs/tasks/tasks.schemas.js';
import { TasksService } from '../../libs/tasks/tasks.service.js';
import { CallContext } from '../../libs/platform/context/call-context.js';
import { viewOfUser } from '../support/user-view.js';
import { openTasksFixture, type TasksFixture } from './tasks-fixture.js';

/** Another feature that consumes all events of tasks. */
class Listener {
  @OnEvent(taskCreated, 'created')
  @OnEvent(taskUpdated, 'updated')
  @OnEvent(taskDeleted, 'deleted')
  @OnEvent(taskRestored, 'restored')
  @OnEvent(taskPurged, 'purged')
  hear(_payload: unknown, _meta: EventMeta): Promise<void> {
    return Promise.resolve();
  }
}

let tasks: TasksFixture;
let userId: string;
beforeAll(async () => {
  tasks = await openTasksFixture();
});
beforeEach(async () => {
  userId = uuidv7();
  await tasks.dataSource.query('TRUNCATE tasks.tasks, tasks.outbox');
});
afterAll(() => tasks.close());

const servicesWith = (outbox: Outbox) => {
  const idempotency = new Idempotency(tasks.database, 'tasks');
  const events = new TaskEvents(outbox);
  return {
    service: new TasksService(tasks.database, idempotency, events),
    bulk: new TaskBulkService(idempotency, events),
    consumers: new TasksConsumers(tasks.database, outbox),
    sweeper: new Sweeper(
      [{ feature: 'tasks', database: tasks.database, outbox, tasks: tasksFeature.sweeps }],
      new Metrics(),
    ),
  };
};
const heard = () =>
  servicesWith(new Outbox('tasks', new EventRoutes([{ name: 'ears', consumers: [Listener] }])));
const unheard = () => servicesWith(new Outbox('tasks', new EventRoutes([])));

/** As within a request of the user. */
async function asUser<T>(work: () => Promise<T>): Promise<T> {
  const call = new CallContext();
  call.view = await viewOfUser(tasks.path, userId);
  return call.run(work);
}
const told = () =>
  tasks.dataSource.query<{ topic: string; payload: unknown }[]>(
    'SELECT topic, payload FROM tasks.outbox ORDER BY id',
  );
const data = createTaskSchema.parse({ title: 'Told' });
async function create({ service }: ReturnType<typeof heard>): Promise<string> {
  const outcome = await asUser(() => service.create(null, userId, data));
  if (outcome.kind !== 'json') throw new Error('No replay was asked for.');
  return (JSON.parse(outcome.json) as { readonly id: string }).id;
}

const anyVersion = { anyOf: null, noneOf: [] };

describe('a change of a task', () => {
  it('appends its event in its own transaction: made, changed, in the trash, back again', async () => {
    const all = heard();
    const id = await create(all);
    await asUser(() => all.service.patch(userId, id, { title: 'Changed' }, anyVersion));
    await asUser(() => all.service.patch(userId, id, { title: 'Changed' }, anyVersion));
    await asUser(() => all.service.delete(userId, id, anyVersion));
    await asUser(() => all.service.restore(null, userId, id, anyVersion));
    const payload = (version: number) => ({ task_id: id, user_id: userId, version });
    expect(await told()).toEqual([
      { topic: 'task.created', payload: payload(1) },
      { topic: 'task.updated', payload: payload(2) },
      { topic: 'task.deleted', payload: payload(2) },
      { topic: 'task.restored', payload: payload(3) },
    ]);
  });

  it('that is refused appends none', async () => {
    const all = heard();
    const id = await create(all);
    await expect(
      asUser(() => all.service.patch(userId, id, { title: 'x' }, { anyOf: [9], noneOf: [] })),
    ).rejects.toThrow();
    expect((await told()).map(({ topic }) => topic)).toEqual(['task.created']);
  });

  it('by a bulk call appends one for each operation', async () => {
    const all = heard();
    const [kept, gone] = [await create(all), await create(all)];
    await tasks.dataSource.query('TRUNCATE tasks.outbox');
    await asUser(() =>
      all.bulk.run(null, userId, {
        atomic: true,
        operations: [
          { op: 'create', data },
          { op: 'update', id: kept, data: { title: 'Other' } },
          { op: 'delete', id: gone },
        ],
      }),
    );
    expect((await told()).map(({ topic }) => topic).sort()).toEqual([
      'task.created',
      'task.deleted',
      'task.updated',
    ]);
  });

  it('by the sweeper or by the deletion of its user appends one, too', async () => {
    const all = heard();
    const over = new Date(Date.now() - 31 * 86_400_000);
    const [swept] = await tasks.addTasks(userId, [{ deletedAt: over }]);
    const [purged] = await tasks.addTasks(userId, [{}]);
    await all.sweeper.sweep();
    await all.consumers.purge({ user_id: userId });
    expect(await told()).toEqual(
      [swept, purged].map((task) => ({
        topic: 'task.purged',
        payload: { task_id: task?.id, user_id: userId, version: 1 },
      })),
    );
  });

  it('costs nothing where no app consumes it', async () => {
    const id = await create(unheard());
    await asUser(() => unheard().service.delete(userId, id, anyVersion));
    expect(await told()).toEqual([]);
  });
});

describe('the port of tasks', () => {
  it('finds a live task of its user, and nothing else', async () => {
    const finder = new TaskFinderService(tasks.database);
    const [mine, trashed] = await tasks.addTasks(userId, [
      { title: 'Mine', priority: 'high' },
      { deletedAt: new Date() },
    ]);
    const [others] = await tasks.addTasks(uuidv7(), [{}]);
    const find = (id = '') => asUser(() => finder.find(userId, id));
    expect(await find(mine?.id)).toMatchObject({
      id: mine?.id,
      userId,
      title: 'Mine',
      priority: 'high',
      version: 1,
    });
    expect([await find(trashed?.id), await find(others?.id), await find(uuidv7())]).toEqual([
      null,
      null,
      null,
    ]);
  });
});
