import { Body, Controller, Delete, Get, Param, Patch, Post, Query } from '@nestjs/common';
import type { Caller } from '../platform/context/caller.js';
import type { IdempotentCall } from '../platform/database/idempotency.js';
import { CurrentUser } from '../platform/http/call-adapter.js';
import {
  Accepts,
  Conditional,
  MaxBody,
  Problems,
  ResponseHeaders,
  Returns,
  ReturnsNothing,
  Summary,
  Writes,
} from '../platform/http/endpoint.js';
import { etagOf, RequestConditions, type Conditions } from '../platform/http/etag.js';
import { IdempotencyKey } from '../platform/http/idempotency-key.js';
import { RateLimitCost } from '../platform/http/rate-limit-cost.js';
import { Reply } from '../platform/http/reply.js';
import { bulkSchema, type Bulk } from './bulk/bulk.schemas.js';
import { TaskBulkService } from './bulk/task-bulk.service.js';
import { bulkAnswer, bulkResultSchema, operationCount } from './http/bulk-answer.js';
import { linkOfPage, RequestAddress } from './http/next-link.js';
import { TaskListService } from './list/task-list.service.js';
import { taskQuerySchema, type TaskQuery } from './list/task-query.schema.js';
import { statsQuerySchema, statsSchema, type StatsQuery } from './stats/stats.schemas.js';
import { TaskStatsService } from './stats/task-stats.service.js';
import { CountOperation } from './tasks.metrics.js';
import {
  createTaskSchema,
  patchTaskSchema,
  taskIdSchema,
  taskPageSchema,
  taskSchema,
  type NewTask,
  type TaskPatch,
  type TaskView,
} from './tasks.schemas.js';
import { TasksService } from './tasks.service.js';

/** The longest task that is valid, with each character escaped: 12 bytes. */
const maxTaskBytes = 256 * 1024;
const maxBulkBytes = 1024 * 1024;

@Controller('/v1/tasks')
export class TasksController {
  constructor(
    private readonly tasks: TasksService,
    private readonly lists: TaskListService,
    private readonly batches: TaskBulkService,
    private readonly statistics: TaskStatsService,
  ) {}

  @Post()
  @Summary('Create a task')
  @Returns(201, taskSchema)
  @MaxBody(maxTaskBytes)
  @ResponseHeaders('location', 'etag')
  @Writes()
  @CountOperation('create')
  async create(
    @CurrentUser() { userId }: Caller,
    @Body({ schema: createTaskSchema }) data: NewTask,
    @IdempotencyKey() call: IdempotentCall | null,
  ) {
    const outcome = await this.tasks.create(call, userId, data);
    return Reply.idempotent(outcome, (task) =>
      Reply.of(task, { location: `/v1/tasks/${task.id}`, etag: etagOf(task.version) }),
    );
  }

  @Get()
  @Summary(
    'List your tasks',
    'Pages by cursor: tasks that are created between two pages neither repeat nor hide others.',
  )
  @Returns(200, taskPageSchema)
  @ResponseHeaders('etag', 'link')
  @Conditional()
  @CountOperation('list')
  async list(
    @CurrentUser() { userId }: Caller,
    @Query({ schema: taskQuerySchema }) query: TaskQuery,
    @RequestAddress() address: string,
    @RequestConditions() conditions: Conditions,
  ) {
    const page = await this.lists.page(userId, query);
    return Reply.serialized(page, { userId, conditions }, linkOfPage(page, address));
  }

  @Get('stats')
  @Summary('Count your tasks')
  @Returns(200, statsSchema)
  @ResponseHeaders('etag')
  @Conditional()
  @CountOperation('stats')
  async stats(
    @CurrentUser() { userId }: Caller,
    @Query({ schema: statsQuerySchema }) query: StatsQuery,
    @RequestConditions() conditions: Conditions,
  ) {
    return Reply.serialized(await this.statistics.cached(userId, query), { userId, conditions });
  }

  @Post('bulk')
  @Summary(
    'Create, update and delete up to 100 tasks',
    'The operations run in their order, in one transaction. An atomic call fails with the error of its first failing ' +
      'operation and a pointer to it, and stores nothing. A call that is not atomic answers each operation by itself.',
  )
  @Returns(200, bulkResultSchema)
  @MaxBody(maxBulkBytes)
  @Problems(404, 412)
  @Writes()
  @RateLimitCost(operationCount)
  @CountOperation('bulk')
  async bulk(
    @CurrentUser() { userId }: Caller,
    @Body({ schema: bulkSchema }) bulk: Bulk,
    @IdempotencyKey() call: IdempotentCall | null,
  ) {
    const outcome = await this.batches.run(call, userId, bulk);
    return Reply.idempotent(outcome, (outcomes) => Reply.of(bulkAnswer(outcomes)));
  }

  @Get(':id')
  @Summary('Read a task')
  @Returns(200, taskSchema)
  @ResponseHeaders('etag')
  @Conditional()
  @CountOperation('get')
  async get(
    @CurrentUser() { userId }: Caller,
    @Param('id', { schema: taskIdSchema }) id: string,
    @RequestConditions() conditions: Conditions,
  ) {
    const { json, version } = await this.tasks.get(userId, id);
    return Reply.json(json, etagOf(version), conditions);
  }

  @Patch(':id')
  @Summary('Change a task', 'A patch that changes nothing keeps the version.')
  @Returns(200, taskSchema)
  @ResponseHeaders('etag')
  @Accepts('application/merge-patch+json')
  @MaxBody(maxTaskBytes)
  @Conditional()
  @Writes()
  @CountOperation('update')
  async patch(
    @CurrentUser() { userId }: Caller,
    @Param('id', { schema: taskIdSchema }) id: string,
    @Body({ schema: patchTaskSchema }) patch: TaskPatch,
    @RequestConditions() conditions: Conditions,
  ) {
    const json = await this.tasks.patch(userId, id, patch, conditions.numbers());
    const { version } = JSON.parse(json) as Pick<TaskView, 'version'>;
    return Reply.json(json, etagOf(version));
  }

  @Delete(':id')
  @Summary('Put a task into the trash', 'It can be restored for 30 days.')
  @ReturnsNothing(204)
  @Conditional()
  @Writes()
  @CountOperation('delete')
  async delete(
    @CurrentUser() { userId }: Caller,
    @Param('id', { schema: taskIdSchema }) id: string,
    @RequestConditions() conditions: Conditions,
  ): Promise<void> {
    await this.tasks.delete(userId, id, conditions.numbers());
  }

  @Post(':id/restore')
  @Summary('Restore a task from the trash')
  @Returns(200, taskSchema)
  @ResponseHeaders('etag')
  @Problems(409)
  @Conditional()
  @Writes()
  @CountOperation('restore')
  async restore(
    @CurrentUser() { userId }: Caller,
    @Param('id', { schema: taskIdSchema }) id: string,
    @IdempotencyKey() call: IdempotentCall | null,
    @RequestConditions() conditions: Conditions,
  ) {
    const outcome = await this.tasks.restore(call, userId, id, conditions.numbers());
    return Reply.idempotent(outcome, withEtag);
  }
}

const withEtag = (task: TaskView) => Reply.of(task, { etag: etagOf(task.version) });
