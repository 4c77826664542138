import { z } from 'zod';
import { defineEvent } from '../platform/events/event.js';

/** A user is gone: whoever keeps something of theirs deletes it. */
export const userDeleted = defineEvent('user.deleted', z.object({ user_id: z.uuid() }));

/** Tier or role changed: tokens that claim the old ones must not be accepted any longer. */
export const userClaimsChanged = defineEvent('user.claims_changed', z.object({ user_id: z.uuid() }));
