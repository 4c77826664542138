import { z } from 'zod';
import { defineEvent } from '../platform/events/event.js';

/**
 * What each event of a task tells. Events come in no guaranteed order: of two, the one with the higher version is the later
 * change. Putting a task into the trash keeps its version.
 */
const change = z.object({ task_id: z.uuid(), user_id: z.uuid(), version: z.int() });

export const taskCreated = defineEvent('task.created', change);
export const taskUpdated = defineEvent('task.updated', change);
/** It is in the trash. */
export const taskDeleted = defineEvent('task.deleted', change);
/** It is back from the trash. */
export const taskRestored = defineEvent('task.restored', change);
/** It is gone for good: its time in the trash was over, or its user is deleted. */
export const taskPurged = defineEvent('task.purged', change);
