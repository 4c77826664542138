import type { SweepTask } from '../platform/sweeper/sweep-task.js';
import { publishPurged, type PurgedTask } from './task-events.js';

/** Tasks that have been in the trash for 30 days. The lock of the selection rechecks a task that is being restored. */
export const trashSweep: SweepTask = {
  name: 'trash',
  affected: `
    SELECT user_id FROM tasks.tasks WHERE deleted_at < now() - interval '30 days' ORDER BY deleted_at LIMIT $1`,
  statement: `
    DELETE FROM tasks.tasks WHERE id IN (
      SELECT id FROM tasks.tasks WHERE deleted_at < now() - interval '30 days' AND user_id = ANY ($2)
      ORDER BY deleted_at LIMIT $1 FOR UPDATE SKIP LOCKED)
    RETURNING id, user_id, version`,
  publish: (outbox, manager, rows) =>
    publishPurged(outbox, manager, rows as unknown as readonly PurgedTask[]),
};
