import { z } from 'zod';
import { instant, instantOut, lengthOf, line, text } from '../platform/schemas/fields.js';
import { priorities, statuses } from './task.entity.js';

const title = () => line(1, 500);
const description = () => text(16_384);
const status = () => z.enum(statuses);
const priority = () => z.enum(priorities);
/** In Unicode's NFC: composed and decomposed it is the same tag. It is longer only for a few characters. */
export const tag = () =>
  line(1, 50)
    .overwrite((value) => value.normalize('NFC'))
    .refine((value) => lengthOf(value) <= 50, 'must have at most 50 characters once they are composed (NFC)');
/** Each tag once, in the given order. */
const tags = () => z.array(tag()).max(20).overwrite(canonicalTags);

/** Tags as they are stored. Those of before may be in any form. */
export const canonicalTags = (tags: readonly string[]): string[] => [
  ...new Set(tags.map((value) => value.normalize('NFC'))),
];

/** The default of each field but the title; null in a patch puts a field back to it. */
export const taskDefaults = {
  description: '',
  status: 'todo',
  priority: 'none',
  due_at: null,
  tags: [],
} as const;

export const createTaskSchema = z
  .strictObject({
    title: title(),
    description: description().default(taskDefaults.description),
    status: status().default(taskDefaults.status),
    priority: priority().default(taskDefaults.priority),
    due_at: instant().nullable().default(taskDefaults.due_at),
    tags: tags().default([]),
  })
  .meta({ id: 'NewTask' });
export type NewTask = z.output<typeof createTaskSchema>;

export const patchTaskSchema = z
  .strictObject({
    title: title().optional(),
    description: description().nullable().optional(),
    status: status().nullable().optional(),
    priority: priority().nullable().optional(),
    due_at: instant().nullable().optional(),
    tags: tags().nullable().optional(),
  })
  .meta({ id: 'TaskPatch', description: 'A merge patch (RFC 7396): null puts a field back to its default.' });
export type TaskPatch = z.output<typeof patchTaskSchema>;

export const taskSchema = z
  .strictObject({
    id: z.uuid(),
    title: z.string(),
    description: z.string(),
    status: status(),
    priority: priority(),
    due_at: instantOut().nullable(),
    tags: z.array(z.string()),
    completed_at: instantOut()
      .nullable()
      .meta({ description: 'When its status became done; null in every other status' }),
    created_at: instantOut(),
    updated_at: instantOut(),
    version: z.int(),
  })
  .meta({ id: 'Task' });
export type TaskView = z.input<typeof taskSchema>;

export const taskPageSchema = z
  .strictObject({
    data: z.array(taskSchema),
    next_cursor: z.string().nullable().meta({ description: 'For `cursor` of the next page' }),
    has_more: z.boolean(),
  })
  .meta({ id: 'TaskPage' });
export type TaskPage = z.input<typeof taskPageSchema>;

/** Any text: one that is no id is not found, like an id that does not exist. */
export const taskIdSchema = z.string().meta({ openapi: { type: 'string', format: 'uuid' } });
