import { applyDecorators, Injectable, SetMetadata } from '@nestjs/common';
import { ObservedBy, type CallObserver, type Observe } from '../platform/http/observed.js';
import { currentCall } from '../platform/context/call-context.js';
import { DomainError } from '../platform/errors/domain-error.js';
import { Metrics } from '../platform/metrics/metrics.js';
import type { CounterSeries } from '../platform/metrics/series.js';

const operations = ['create', 'get', 'list', 'update', 'delete', 'restore', 'bulk', 'stats'] as const;
type Operation = (typeof operations)[number];
const operationKey = 'tasks:operation';

/** The operation that a handler counts as. */
export const operationOf = (handler: object): Operation | undefined =>
  Reflect.getMetadata(operationKey, handler) as Operation | undefined;

type Result = 'success' | 'rejected' | 'error';
type ResultSeries = Readonly<Record<Result, CounterSeries>>;

/** Counts the result of each call on tasks that passed the guards. */
@Injectable()
export class TaskOperations implements CallObserver {
  private readonly series: ReadonlyMap<Operation, ResultSeries>;

  constructor(metrics: Metrics) {
    const counter = metrics.counter({
      name: 'tasks_operations_total',
      help: 'Calls on tasks by users who may make them, a bulk call as one: `success`, `rejected` (a 4xx: invalid, not found, outdated) or `error` (a 5xx, or given up).',
      labelNames: ['operation', 'result'],
    });
    const seriesOf = (operation: Operation): ResultSeries => ({
      success: counter.series({ operation, result: 'success' }),
      rejected: counter.series({ operation, result: 'rejected' }),
      error: counter.series({ operation, result: 'error' }),
    });
    this.series = new Map(operations.map((operation) => [operation, seriesOf(operation)]));
  }

  observe(handler: object): Observe {
    const operation = operationOf(handler);
    const series = operation && this.series.get(operation);
    if (series === undefined) throw new Error('A handler that is observed says which operation it is.');
    return (error) => series[error === null ? resultOfValue() : resultOf(error)].inc();
  }
}

/** Counts the calls of a handler as calls of this operation. */
export const CountOperation = (operation: Operation): MethodDecorator =>
  applyDecorators(SetMetadata(operationKey, operation), ObservedBy(TaskOperations));

/** The client got a 503 before the work ended. */
const hasTimedOut = (): boolean => currentCall()?.deadline.isExpired === true;

const resultOfValue = (): Result => (hasTimedOut() ? 'error' : 'success');

const resultOf = (error: unknown): Result =>
  error instanceof DomainError && error.kind !== 'unavailable' && !hasTimedOut() ? 'rejected' : 'error';
