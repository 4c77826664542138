import { contribution, defineFeature } from '../platform/features/define-feature.js';
import { exportSources } from '../users/export.port.js';
import { TaskBulkService } from './bulk/task-bulk.service.js';
import { TaskListService, taskLists } from './list/task-list.service.js';
import { CreateTasks1764000000000 } from './migrations/1764000000000-create-tasks.js';
import { CreateTasksOutboxAndInbox1764200000000 } from './migrations/1764200000000-create-outbox-and-inbox.js';
import { FindTasksByStatusAndPriority1764300000000 } from './migrations/1764300000000-find-tasks-by-status-and-priority.js';
import { PlanSearchVectorOnce1764400000000 } from './migrations/1764400000000-plan-search-vector-once.js';
import { CollectSearchEntries1764500000000 } from './migrations/1764500000000-collect-search-entries.js';
import { SearchByWordsOfTheApplication1764600000000 } from './migrations/1764600000000-search-by-words-of-the-application.js';
import { FindTasksWithoutWords1764700000000 } from './migrations/1764700000000-find-tasks-without-words.js';
import { searchFill } from './search/search-fill.js';
import { TaskStatsService, taskStats } from './stats/task-stats.service.js';
import { TaskEvents } from './task-events.js';
import { TaskFinderService } from './task-finder.service.js';
import { TaskEntity } from './task.entity.js';
import { seedTasks } from './task.seeder.js';
import { TasksConsumers } from './tasks.consumers.js';
import { TasksController } from './tasks.controller.js';
import { TasksExport } from './tasks.export.js';
import { TaskOperations } from './tasks.metrics.js';
import { tasks, TasksPort } from './tasks.port.js';
import { TasksService } from './tasks.service.js';
import { trashSweep } from './tasks.sweeps.js';

/** Tasks of users: single ones, lists, bulk calls, statistics, the trash. */
export const tasksFeature = defineFeature({
  name: tasks,
  entities: [TaskEntity],
  migrations: [
    CreateTasks1764000000000,
    CreateTasksOutboxAndInbox1764200000000,
    FindTasksByStatusAndPriority1764300000000,
    PlanSearchVectorOnce1764400000000,
    CollectSearchEntries1764500000000,
    SearchByWordsOfTheApplication1764600000000,
    FindTasksWithoutWords1764700000000,
  ],
  caches: [taskLists, taskStats],
  sweeps: [trashSweep],
  fills: [searchFill],
  hasOutbox: true,
  hasIdempotency: true,
  core: [TaskFinderService],
  ports: [{ port: TasksPort, by: TaskFinderService }],
  controllers: [TasksController],
  consumers: [TasksConsumers],
  providers: [TasksService, TaskListService, TaskBulkService, TaskStatsService, TaskEvents, TaskOperations],
  contributions: [contribution(exportSources, TasksExport)],
  seed: {
    option: 'tasks',
    defaultCount: 1000,
    help: 'tasks, shared by the users',
    run: seedTasks,
  },
});
