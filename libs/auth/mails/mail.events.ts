import { z } from 'zod';
import { defineEvent } from '../../platform/events/event.js';

export const mailPurpose = z.enum(['verify_email', 'reset_password']);
export type MailPurpose = z.output<typeof mailPurpose>;

/** A mail to an address, known or not, was requested. Only auth consumes it. */
export const mailRequested = defineEvent(
  'auth.mail_requested',
  z.object({ email: z.string(), purpose: mailPurpose }),
);
