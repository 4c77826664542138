import { Module, type DynamicModule, type ModuleMetadata, type OnModuleInit } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import { featureDatabase } from '../platform/database/feature-database.js';
import { Idempotency } from '../platform/database/idempotency.js';
import { Sweeper } from '../platform/sweeper/sweeper.js';
import { TaskBulkService } from './bulk/task-bulk.service.js';
import { TaskListService } from './list/task-list.service.js';
import { TaskStatsService } from './stats/task-stats.service.js';
import { TasksController } from './tasks.controller.js';
import { TasksEventHandlers } from './tasks.event-handlers.js';
import { TasksExport } from './tasks.export.js';
import { TasksService } from './tasks.service.js';
import { taskSweeps } from './tasks.sweeps.js';

export interface TasksModuleOptions {
  /** Exports `UsersPort`. */
  readonly users: NonNullable<ModuleMetadata['imports']>[number];
}

@Module({})
export class TasksModule implements OnModuleInit {
  constructor(private readonly sweeper: Sweeper) {}

  static register({ users }: TasksModuleOptions): DynamicModule {
    return {
      module: TasksModule,
      imports: [users],
      controllers: [TasksController],
      providers: [
        featureDatabase('tasks'),
        {
          provide: Idempotency,
          useFactory: (database: Database) => new Idempotency(database, 'tasks'),
          inject: [Database],
        },
        ...[
          TasksService,
          TaskListService,
          TaskBulkService,
          TaskStatsService,
          TasksEventHandlers,
          TasksExport,
        ],
      ],
      exports: [TasksExport],
    };
  }

  onModuleInit(): void {
    this.sweeper.register(...taskSweeps);
  }
}
