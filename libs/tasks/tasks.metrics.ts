import {
  Injectable,
  SetMetadata,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { tap, type Observable } from 'rxjs';
import { currentCall } from '../platform/context/call-context.js';
import { DomainError } from '../platform/errors/domain-error.js';
import { Metrics } from '../platform/metrics/metrics.js';
import type { CounterSeries } from '../platform/metrics/series.js';

const operations = ['create', 'get', 'list', 'update', 'delete', 'restore', 'bulk', 'stats'] as const;
type Operation = (typeof operations)[number];
const operationKey = 'tasks:operation';

/** Counts the calls of a handler as calls of this operation. */
export const CountOperation = (operation: Operation): MethodDecorator => SetMetadata(operationKey, operation);

/** The operation that a handler counts as. */
export const operationOf = (handler: object): Operation | undefined =>
  Reflect.getMetadata(operationKey, handler) as Operation | undefined;

type Result = 'success' | 'rejected' | 'error';
type ResultSeries = Readonly<Record<Result, CounterSeries>>;

/** Counts the result of each call on tasks that passed the guards. */
@Injectable()
export class TaskOperationsInterceptor implements NestInterceptor {
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

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const operation = operationOf(context.getHandler());
    const series = operation && this.series.get(operation);
    if (series === undefined) return next.handle();
    return next.handle().pipe(
      tap({
        // A handler gives one value, after which nobody listens: `complete` would not be called.
        next: () => series[hasTimedOut() ? 'error' : 'success'].inc(),
        error: (error: unknown) => series[resultOf(error)].inc(),
      }),
    );
  }
}

/** The client got a 503 before the work ended. */
const hasTimedOut = (): boolean => currentCall()?.deadline.isExpired === true;

const resultOf = (error: unknown): Result =>
  error instanceof DomainError && error.kind !== 'unavailable' && !hasTimedOut() ? 'rejected' : 'error';
