import { z } from 'zod';
import { answerCache, valueCache } from '../../../libs/platform/cache/define-cache.js';
import { sharedLists } from './shared-lists.names.js';
import { listSchema } from './shared-lists.schemas.js';

const common = { ttlMs: 5 * 60_000, dependsOn: [sharedLists] };

/** Lists with their items, in the scope of the list: one entry for all members. */
export const listViews = answerCache({ name: 'test-lists', ...common }, listSchema);

/** Whether the caller is a member, by the list, in the caller's own scope. */
export const memberships = valueCache(
  { name: 'test-memberships', ...common },
  z.strictObject({ isMember: z.boolean() }),
);

/** The list that an item was in when the caller last changed something, by the item, in the caller's own scope. */
export const itemPlaces = valueCache(
  { name: 'test-item-places', ...common },
  z.strictObject({ listId: z.string() }),
);
