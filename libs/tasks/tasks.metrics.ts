import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { Counter } from 'prom-client';
import { tap, type Observable } from 'rxjs';
import { DomainError } from '../platform/errors/domain-error.js';
import { registry } from '../platform/operations/registry.js';

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

const counter = new Counter({
  name: 'tasks_operations_total',
  help: 'Calls on tasks by users who may make them, a bulk call as one: `success`, `rejected` (a 4xx: invalid, not found, outdated) or `error` (a 5xx, or given up).',
  labelNames: ['operation', 'result'],
  registers: [registry],
});

const labels = new Map(
  Object.entries(operations).map(([method, operation]) => [
    method,
    {
      success: { operation, result: 'success' },
      rejected: { operation, result: 'rejected' },
      error: { operation, result: 'error' },
    } satisfies Record<Result, object>,
  ]),
);
for (const each of labels.values()) for (const one of Object.values(each)) counter.inc(one, 0);

/** Counts what becomes of each call on tasks that the guards let through. */
@Injectable()
export class TaskOperationsInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const known = labels.get(context.getHandler().name);
    if (known === undefined) return next.handle();
    const count = (result: Result) => counter.inc(known[result]);
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
