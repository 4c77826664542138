import {
  Body,
  Controller,
  Delete,
  Get,
  Headers,
  Param,
  Patch,
  Post,
  Query,
  UseInterceptors,
} from '@nestjs/common';
import { replyWith } from '../platform/cache/answer.js';
import { Endpoint } from '../platform/http/endpoint.js';
import { isNotModified, versionEtag } from '../platform/http/etag.js';
import { IdempotencyKey, type IdempotentCall } from '../platform/database/idempotency.js';
import { Reply } from '../platform/http/reply.js';
import { CurrentUser, type Principal } from '../platform/security/principal.js';
import { bulkResultSchema, bulkSchema, type Bulk } from './bulk/bulk.schemas.js';
import { TaskBulkService } from './bulk/task-bulk.service.js';
import { RequestAddress } from './list/next-link.js';
import { TaskListService } from './list/task-list.service.js';
import { taskQuerySchema, type TaskQuery } from './list/task-query.schema.js';
import { statsQuerySchema, statsSchema, type StatsQuery } from './stats/stats.schemas.js';
import { TaskStatsService } from './stats/task-stats.service.js';
import {
  createTaskSchema,
  patchTaskSchema,
  taskIdSchema,
  taskPageSchema,
  taskSchema,
  type NewTask,
  type TaskPatch,
} from './tasks.schemas.js';
import { TaskOperationsInterceptor } from './tasks.metrics.js';
import { TasksService } from './tasks.service.js';

/** Each operation counts as the call that it saves. */
const operationCount = (body: unknown): number => {
  const operations: unknown =
    typeof body === 'object' && body !== null && 'operations' in body ? body.operations : [];
  return Array.isArray(operations) ? Math.min(Math.max(operations.length, 1), 100) : 1;
};

const taskAnswer = { status: 200, response: taskSchema, headers: ['etag'] } as const;

@Controller('/v1/tasks')
@UseInterceptors(TaskOperationsInterceptor)
export class TasksController {
  constructor(
    private readonly tasks: TasksService,
    private readonly lists: TaskListService,
    private readonly batches: TaskBulkService,
    private readonly statistics: TaskStatsService,
  ) {}

  @Post()
  @Endpoint({
    summary: 'Create a task',
    status: 201,
    response: taskSchema,
    headers: ['location', 'etag'],
    isIdempotent: true,
    writes: 'tasks',
  })
  create(
    @CurrentUser() { userId }: Principal,
    @Body({ schema: createTaskSchema }) data: NewTask,
    @IdempotencyKey() call: IdempotentCall | null,
  ) {
    return this.tasks.create(call, userId, data);
  }

  @Get()
  @Endpoint({
    summary: 'List your tasks',
    description: 'Pages by cursor: tasks that are made while you turn pages neither repeat nor hide others.',
    status: 200,
    response: taskPageSchema,
    headers: ['etag', 'link'],
    conditions: ['If-None-Match'],
  })
  async list(
    @CurrentUser() { userId }: Principal,
    @Query({ schema: taskQuerySchema }) query: TaskQuery,
    @RequestAddress() address: string,
    @Headers('if-none-match') ifNoneMatch?: string,
  ) {
    return replyWith(await this.lists.answer(userId, query, address), ifNoneMatch);
  }

  @Get('stats')
  @Endpoint({
    summary: 'Count your tasks',
    status: 200,
    response: statsSchema,
    headers: ['etag'],
    conditions: ['If-None-Match'],
  })
  async stats(
    @CurrentUser() { userId }: Principal,
    @Query({ schema: statsQuerySchema }) query: StatsQuery,
    @Headers('if-none-match') ifNoneMatch?: string,
  ) {
    return replyWith(await this.statistics.answer(userId, query), ifNoneMatch);
  }

  @Post('bulk')
  @Endpoint({
    summary: 'Create, update and delete up to 100 tasks',
    description:
      'In their order and in one transaction. An atomic call fails as its first failing operation does, with a ' +
      'pointer to it, and stores nothing; one that is not answers each operation by itself.',
    status: 200,
    response: bulkResultSchema,
    isIdempotent: true,
    writes: 'tasks',
    problems: [404, 412],
    cost: operationCount,
  })
  bulk(
    @CurrentUser() { userId }: Principal,
    @Body({ schema: bulkSchema }) bulk: Bulk,
    @IdempotencyKey() call: IdempotentCall | null,
  ) {
    return this.batches.run(call, userId, bulk);
  }

  @Get(':id')
  @Endpoint({ ...taskAnswer, summary: 'Read a task', conditions: ['If-None-Match'] })
  async get(
    @CurrentUser() { userId }: Principal,
    @Param('id', { schema: taskIdSchema }) id: string,
    @Headers('if-none-match') ifNoneMatch?: string,
  ) {
    const task = await this.tasks.get(userId, id);
    const headers = { etag: versionEtag(task.version) };
    return isNotModified(ifNoneMatch, headers.etag)
      ? new Reply(undefined, { status: 304, headers })
      : new Reply(task, { headers });
  }

  @Patch(':id')
  @Endpoint({
    ...taskAnswer,
    summary: 'Change a task',
    description: 'A patch that says nothing new leaves the version as it is.',
    conditions: ['If-Match'],
    writes: 'tasks',
    bodyTypes: ['application/merge-patch+json'],
  })
  async patch(
    @CurrentUser() { userId }: Principal,
    @Param('id', { schema: taskIdSchema }) id: string,
    @Body({ schema: patchTaskSchema }) patch: TaskPatch,
    @Headers('if-match') ifMatch?: string,
  ) {
    const task = await this.tasks.patch(userId, id, patch, ifMatch);
    return new Reply(task, { headers: { etag: versionEtag(task.version) } });
  }

  @Delete(':id')
  @Endpoint({
    summary: 'Put a task into the trash',
    description: 'It can be restored for 30 days.',
    status: 204,
    response: null,
    conditions: ['If-Match'],
    writes: 'tasks',
  })
  async delete(
    @CurrentUser() { userId }: Principal,
    @Param('id', { schema: taskIdSchema }) id: string,
    @Headers('if-match') ifMatch?: string,
  ): Promise<void> {
    await this.tasks.delete(userId, id, ifMatch);
  }

  @Post(':id/restore')
  @Endpoint({
    ...taskAnswer,
    summary: 'Restore a task from the trash',
    isIdempotent: true,
    writes: 'tasks',
    conditions: ['If-Match'],
    problems: [409],
  })
  restore(
    @CurrentUser() { userId }: Principal,
    @Param('id', { schema: taskIdSchema }) id: string,
    @IdempotencyKey() call: IdempotentCall | null,
    @Headers('if-match') ifMatch?: string,
  ) {
    return this.tasks.restore(call, userId, id, ifMatch);
  }
}
