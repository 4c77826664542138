import { z } from 'zod';
import { defineEvent } from '../platform/events/event.js';

/** An account was made; its profile may still be missing. */
export const userRegistered = defineEvent(
  'user.registered',
  z.object({ user_id: z.uuid(), name: z.string(), timezone: z.string() }),
);
