import { PATH_METADATA } from '@nestjs/common/internal';
import { CallContext } from '../platform/context/call-context.js';
import { Deadline } from '../platform/context/deadline.js';
import { DeadlineExceeded } from '../platform/errors/common-errors.js';
import { Metrics } from '../platform/metrics/metrics.js';
import { TasksController } from './tasks.controller.js';
import { TaskNotFound } from './tasks.errors.js';
import { operationOf, TaskOperations } from './tasks.metrics.js';

const prototype = TasksController.prototype as unknown as Readonly<Record<string, object>>;
const handlers = Object.getOwnPropertyNames(prototype).flatMap((name) => {
  const method = prototype[name];
  return method !== undefined && Reflect.hasMetadata(PATH_METADATA, method) && name !== 'constructor'
    ? [{ name, method }]
    : [];
});

describe('every handler of tasks', () => {
  it('is one of eight', () => {
    expect(handlers).toHaveLength(8);
  });

  it.each(handlers)('counts as an operation of its own: $name', ({ method }) => {
    const operation = operationOf(method);
    expect(operation).toBeDefined();
    expect(handlers.filter((other) => operationOf(other.method) === operation)).toHaveLength(1);
  });
});

describe('the count of calls on tasks', () => {
  const metrics = new Metrics();
  const observe = new TaskOperations(metrics).observe(prototype['patch'] ?? {});
  const call = (work: () => Promise<unknown>) => work().then(() => observe(null), observe);

  it('has a series of zero of each operation and result from the start', async () => {
    expect(await seriesOf(metrics)).toHaveLength(24);
    expect(await seriesOf(metrics)).toContain('tasks_operations_total{operation="restore",result="error"} 0');
  });

  it('tells success, rejections and errors apart', async () => {
    await call(() => Promise.resolve({}));
    await call(() => Promise.resolve(undefined));
    await call(() => Promise.reject(new TaskNotFound()));
    await call(() => Promise.reject(new DeadlineExceeded()));
    await call(() => Promise.reject(new Error('a bug')));
    expect((await seriesOf(metrics)).filter((line) => line.includes('"update"'))).toEqual([
      'tasks_operations_total{operation="update",result="success"} 2',
      'tasks_operations_total{operation="update",result="rejected"} 1',
      'tasks_operations_total{operation="update",result="error"} 2',
    ]);
  });

  it('takes what ends after the deadline of its call for an error, as the client has been told', async () => {
    const late = new CallContext({ deadline: new Deadline(1) });
    await late.run(() => call(() => new Promise((resolve) => late.deadline.onExpired(() => resolve({})))));
    expect(await seriesOf(metrics)).toContain('tasks_operations_total{operation="update",result="error"} 3');
  });
});

async function seriesOf(metrics: Metrics): Promise<readonly string[]> {
  return (await metrics.registry.metrics()).split('\n').filter((line) => line.startsWith('tasks_'));
}
