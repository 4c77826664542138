import { z } from 'zod';
import { line, uuid } from '../../../libs/platform/schemas/fields.js';

export const idSchema = uuid();

/** Clients choose the ids, so that they know them even if no answer comes. */
export const newListSchema = z.strictObject({ id: uuid(), title: line(1, 100) }).meta({ id: 'NewTestList' });
export type NewList = z.output<typeof newListSchema>;

export const newItemSchema = z.strictObject({ id: uuid(), title: line(1, 100) }).meta({ id: 'NewTestItem' });
export type NewItem = z.output<typeof newItemSchema>;

/** A new title, or another list, or both. */
export const itemPatchSchema = z
  .strictObject({ title: line(1, 100).optional(), list_id: uuid().optional() })
  .meta({ id: 'TestItemPatch' });
export type ItemPatch = z.output<typeof itemPatchSchema>;

export const itemSchema = z
  .strictObject({
    id: z.uuid(),
    list_id: z.uuid(),
    title: z.string(),
    version: z.int().meta({ description: 'Raised by each change of the title or the list' }),
  })
  .meta({ id: 'TestItem' });
export type Item = z.input<typeof itemSchema>;

export const listSchema = z
  .strictObject({ id: z.uuid(), title: z.string(), items: z.array(itemSchema) })
  .meta({ id: 'TestList' });
export type List = z.input<typeof listSchema>;

export const membershipSchema = z
  .strictObject({
    version: z.int().meta({ description: 'How often the user has joined' }),
    is_member: z.boolean(),
    is_changed: z.boolean().meta({ description: 'False where it was so before' }),
  })
  .meta({ id: 'TestMembership' });
export type Membership = z.input<typeof membershipSchema>;
