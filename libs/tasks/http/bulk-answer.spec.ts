import { uuidv7 } from '../../platform/ids/uuid.js';
import { failureOf } from '../../platform/http/problem.js';
import { operationOutcomesSchema, type OperationOutcome } from '../bulk/operation-outcome.js';
import { created, newTask, view } from '../task.js';
import { OperationFailed, operationFailed, TaskChanged, TaskNotFound } from '../tasks.errors.js';
import { createTaskSchema } from '../tasks.schemas.js';
import { bulkAnswer, bulkResultSchema } from './bulk-answer.js';

const data = createTaskSchema.parse({ title: 'Task', due_at: '2026-05-01T12:00:00.123Z' });
const task = view(created(newTask(uuidv7(), data), new Date()));

describe('the answer to a bulk call', () => {
  const { kind, code, message, errors } = operationFailed(3, new TaskNotFound());
  const outcomes: OperationOutcome[] = [
    { outcome: 'created', task },
    { outcome: 'updated', task: { ...task, version: 2 } },
    { outcome: 'deleted' },
    { outcome: 'failed', failure: { kind, code, message, errors: [...errors] } },
  ];

  it('has for each operation what it would have been answered alone', () => {
    expect(bulkAnswer(outcomes)).toEqual({
      results: [
        { status: 201, task },
        { status: 200, task: { ...task, version: 2 } },
        { status: 204 },
        {
          status: 404,
          problem: {
            type: 'urn:task-api:problem:task_not_found',
            title: 'Not Found',
            status: 404,
            detail: 'There is no such task.',
            code: 'task_not_found',
            errors: [{ pointer: '/operations/3', code: 'task_not_found', message: 'There is no such task.' }],
          },
        },
      ],
    });
  });

  it('is the same after the outcomes were stored, byte for byte', () => {
    const stored: unknown = JSON.parse(JSON.stringify(operationOutcomesSchema.parse(outcomes)));
    const replayed = operationOutcomesSchema.encode(
      stored as ReturnType<typeof operationOutcomesSchema.parse>,
    );
    const render = (values: OperationOutcome[]) => JSON.stringify(bulkResultSchema.parse(bulkAnswer(values)));
    expect(render(replayed)).toBe(render(outcomes));
  });
});

describe('the failure of an atomic bulk call', () => {
  it('is of the kind of its operation, with a pointer to it', () => {
    const failure = operationFailed(2, new TaskNotFound());
    expect(failure).toBeInstanceOf(OperationFailed);
    expect(failureOf(failure)).toMatchObject({
      ...{ status: 404, code: 'task_not_found', headers: {} },
      errors: [{ pointer: '/operations/2', code: 'task_not_found' }],
    });
  });

  it('tells the current version where another one was expected', () => {
    expect(failureOf(operationFailed(0, new TaskChanged(7, 7)))).toMatchObject({
      ...{ status: 412, code: 'precondition_failed', headers: { etag: '"7"' } },
      detail: 'The task is at version 7, not at that of if_version.',
      errors: [{ pointer: '/operations/0', code: 'precondition_failed' }],
    });
  });
});
