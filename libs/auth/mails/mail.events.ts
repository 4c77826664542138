import { z } from 'zod';
import { defineEvent } from '../../platform/events/event-bus.js';

export const mailPurpose = z.enum(['verify_email', 'reset_password']);
export type MailPurpose = z.output<typeof mailPurpose>;

/** Somebody asked for a mail to an address, known or not. Auth's own: no other feature hears of it. */
export const mailRequested = defineEvent(
  'auth.mail_requested',
  z.object({ email: z.string(), purpose: mailPurpose }),
);
