import { z } from 'zod';
import { instantOut, timeZone } from '../../platform/schemas/fields.js';
import { priorities, statuses } from '../task.entity.js';

/** Postgres knows no year 0. */
const date = () =>
  z.iso
    .date()
    .refine((value) => value >= '0001-01-01', 'must be in the year 1 or later')
    .meta({ openapi: { type: 'string', format: 'date' } });

export const statsQuerySchema = z.strictObject({
  from: date().optional().meta({ description: 'First day of the series; 29 days before `to` unless given' }),
  to: date().optional().meta({
    description:
      'Last day of the series, at most 366 in all; unless given today, or as far from `from` as may be',
  }),
  timezone: timeZone()
    .optional()
    .meta({ description: 'Whose days are counted; that of your profile unless given' }),
});
export type StatsQuery = z.output<typeof statsQuerySchema>;

const count = () => z.int().min(0);
const countOfEach = <const K extends string>(keys: readonly K[]) =>
  z.strictObject(Object.fromEntries(keys.map((key) => [key, count()])) as Record<K, z.ZodInt>);

export const statsSchema = z
  .strictObject({
    total: count().meta({ description: 'Live tasks; all other figures are of these too' }),
    by_status: countOfEach(statuses),
    by_priority: countOfEach(priorities),
    overdue: count().meta({ description: 'Due before now, neither done nor cancelled' }),
    due_today: count().meta({
      description: 'Due on this day of the time zone, overdue or not, neither done nor cancelled',
    }),
    due_next_7d: count().meta({
      description: 'Due from now until 7 times 24 hours later, neither done nor cancelled',
    }),
    completion_rate: z
      .number()
      .nullable()
      .meta({ description: 'Done among all but the cancelled, 0 to 1; null where there is none' }),
    avg_completion_seconds: z
      .number()
      .nullable()
      .meta({ description: 'From creation to completion, over the done; null where there is none' }),
    series: z
      .array(z.strictObject({ date: z.iso.date(), created: count(), completed: count() }))
      .meta({ description: 'One entry for each day from `from` to `to`, in the time zone' }),
    generated_at: instantOut(),
  })
  .meta({ id: 'TaskStats' });
export type StatsView = z.input<typeof statsSchema>;
