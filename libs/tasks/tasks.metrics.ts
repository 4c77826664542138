import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { tap, type Observable } from 'rxjs';
import { DomainError } from '../platform/errors/domain-error.js';
import { SeriesCounter, type CounterSeries } from '../platform/metrics/series.js';

/** By the names of the controller's methods, which are no part of the interface of the metrics. */
const operations: Readonly<Record<string, string>> = {
  create: 'create',
  get: 'get',
  list: 'list',
  patch: 'update',
  delete: 'delete',
  restore: 'restore',
  bulk: 'bulk',
  stats: 'stats',
};
type Result = 'success' | 'rejected' | 'error';

const counter = new SeriesCounter({
  name: 'tasks_operations_total',
  help: 'Calls on tasks by users who may make them, a bulk call as one: `success`, `rejected` (a 4xx: invalid, not found, outdated) or `error` (a 5xx, or given up).',
  labelNames: ['operation', 'result'],
});

const series = new Map(
  Object.entries(operations).map(([method, operation]) => [
    method,
    {
      success: counter.series({ operation, result: 'success' }),
      rejected: counter.series({ operation, result: 'rejected' }),
      error: counter.series({ operation, result: 'error' }),
    } satisfies Record<Result, CounterSeries>,
  ]),
);

/** Counts what becomes of each call on tasks that the guards let through. */
@Injectable()
export class TaskOperationsInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const known = series.get(context.getHandler().name);
    if (known === undefined) return next.handle();
    const count = (result: Result) => known[result].inc();
    return next.handle().pipe(
      tap({
        complete: () => count('success'),
        error: (error: unknown) => count(isRejection(error) ? 'rejected' : 'error'),
        // It took too long, and the client has been told so.
        unsubscribe: () => count('error'),
      }),
    );
  }
}

const isRejection = (error: unknown): boolean => error instanceof DomainError && error.status < 500;
