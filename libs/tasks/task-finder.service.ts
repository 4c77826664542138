import { Injectable } from '@nestjs/common';
import { IsNull } from 'typeorm';
import { Database } from '../platform/database/database.js';
import { TaskEntity } from './task.entity.js';
import { TasksPort, type TaskFacts } from './tasks.port.js';

/** Tasks as other features see them. */
@Injectable()
export class TaskFinderService extends TasksPort {
  constructor(private readonly database: Database) {
    super();
  }

  find(userId: string, taskId: string): Promise<TaskFacts | null> {
    const select = {
      id: true,
      userId: true,
      title: true,
      status: true,
      priority: true,
      dueAt: true,
      version: true,
    };
    const where = { id: taskId, userId, deletedAt: IsNull() };
    return this.database.read((manager) => manager.findOne(TaskEntity, { select, where }));
  }
}
