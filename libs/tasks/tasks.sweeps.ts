import type { SweepTask } from '../platform/sweeper/sweeper.js';

/** The lock in the selection makes it look again at a task that is being restored. */
export const taskSweeps: readonly SweepTask[] = [
  {
    name: 'tasks.trash',
    affected: `
      SELECT user_id FROM tasks.tasks WHERE deleted_at < now() - interval '30 days' ORDER BY deleted_at LIMIT $1`,
    statement: `
      DELETE FROM tasks.tasks WHERE id IN (
        SELECT id FROM tasks.tasks WHERE deleted_at < now() - interval '30 days' AND user_id = ANY ($2)
        ORDER BY deleted_at LIMIT $1 FOR UPDATE SKIP LOCKED)`,
  },
  {
    name: 'tasks.idempotency_keys',
    statement: `
      DELETE FROM tasks.idempotency_keys WHERE (user_id, key) IN (
        SELECT user_id, key FROM tasks.idempotency_keys WHERE created_at < now() - interval '24 hours'
        ORDER BY created_at LIMIT $1 FOR UPDATE SKIP LOCKED)`,
  },
];
