import type { Persistence } from '../platform/postgres/persistence.js';
import { CreateTasks1764000000000 } from './migrations/1764000000000-create-tasks.js';
import { TaskEntity } from './task.entity.js';

export const tasksPersistence: Persistence = {
  schema: 'tasks',
  entities: [TaskEntity],
  migrations: [CreateTasks1764000000000],
};
