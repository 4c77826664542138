import { z } from 'zod';
import { instantOut, integerParameter } from '../../platform/schemas/fields.js';

export const sessionSchema = z
  .strictObject({
    id: z.uuid(),
    created_at: instantOut(),
    last_used_at: instantOut().meta({ description: 'Login or last refresh' }),
    expires_at: instantOut().meta({ description: 'When it ends unless it is used before' }),
    user_agent: z.string().nullable(),
    ip: z.string(),
    current: z.boolean().meta({ description: 'This is the session that asks' }),
  })
  .meta({ id: 'Session' });
export type SessionView = z.input<typeof sessionSchema>;

export const sessionPageSchema = z
  .strictObject({ data: z.array(sessionSchema), next_cursor: z.string().nullable(), has_more: z.boolean() })
  .meta({ id: 'SessionPage' });

export const sessionQuerySchema = z.strictObject({
  limit: integerParameter(1, 100).default(25),
  /** Any text: what is no cursor of this list is 400, however long it is. */
  cursor: z.string().optional(),
});
export type SessionQuery = z.output<typeof sessionQuerySchema>;

/** Any text: what is no id of a session is 404, like an id that nobody has. */
export const sessionIdSchema = z.string();
