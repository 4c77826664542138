import { z } from 'zod';
import {
  booleanParameter,
  enumListParameter,
  instant,
  integerParameter,
  line,
  repeatedParameter,
} from '../../platform/schemas/fields.js';
import { priorities, statuses } from '../task.entity.js';
import { tag } from '../tasks.schemas.js';
import { defaultSort, sortParameter } from './task-sort.js';

export const defaultLimit = 25;

export const taskQuerySchema = z
  .strictObject({
    status: enumListParameter(statuses).optional().meta({ description: 'Any of these' }),
    priority: enumListParameter(priorities).optional().meta({ description: 'Any of these' }),
    tag: repeatedParameter(tag(), 20).optional().meta({ description: 'Repeated: all of them' }),
    due_after: instant().optional().meta({ description: 'Due then or later' }),
    due_before: instant().optional().meta({ description: 'Due before that' }),
    overdue: booleanParameter()
      .optional()
      .meta({ description: 'Due before now and neither done nor cancelled; false: all others' }),
    q: line(1, 200)
      .optional()
      .meta({
        description:
          'Words in title or description, whatever their case and accents; the last one may be the beginning of a word. ' +
          '"In quotes" for a phrase, `or` between alternatives, a minus before a word that must not be there. ' +
          'A query without a word to look for finds nothing.',
      }),
    deleted: booleanParameter().default(false).meta({ description: 'The trash instead of the live tasks' }),
    sort: sortParameter().default([...defaultSort]),
    limit: integerParameter(1, 100).default(defaultLimit),
    // Any text: the service refuses what is no cursor of this list, however long it is.
    cursor: z
      .string()
      .optional()
      .meta({ description: '`next_cursor` of the page before, of the same query' }),
  })
  .refine(({ sort, q }) => q !== undefined || sort.every(({ field }) => field !== 'relevance'), {
    path: ['sort'],
    message: 'relevance needs q',
    // By default Zod runs this even where a field is invalid.
    when: ({ issues }) => issues.length === 0,
  });
export type TaskQuery = z.output<typeof taskQuerySchema>;

/** Equal for queries that mean the same, whatever the order of their values. Holds all of the query. */
export function queryKey({ status, priority, tag: tags, ...rest }: TaskQuery): string {
  return JSON.stringify([asSet(status), asSet(priority), asSet(tags), rest]);
}

/** Each value once, in the order of the alphabet. */
export const asSet = (values: readonly string[] = []): readonly string[] =>
  values.length < 2 ? values : [...new Set(values)].sort();
