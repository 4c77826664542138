import { z } from 'zod';
import { defineEvent } from '../../platform/events/event.js';

const addressMail = z.object({ email: z.string(), purpose: z.enum(['verify_email', 'reset_password']) });
export type AddressMail = z.output<typeof addressMail>;

/** A mail to an address, known or not, was requested. Only auth consumes it. */
export const mailRequested = defineEvent('auth.mail_requested', addressMail);

const user_id = z.uuid();
/** Of the user at that moment: whoever changes the address afterwards must not get what is told of before. */
const email = z.string();
const accountMail = z.discriminatedUnion('kind', [
  /** To the address that the account is to have, with a token that makes it so. */
  z.object({ kind: z.literal('change_email'), user_id }),
  /** The others tell the user of what may have been done by somebody else. */
  z.object({ kind: z.literal('password_changed'), user_id, email }),
  z.object({ kind: z.literal('email_changed'), user_id, email }),
  z.object({ kind: z.literal('new_device'), user_id, email, device: z.string(), ip: z.string() }),
]);
export type AccountMail = z.output<typeof accountMail>;

/** A mail to the user of an account is due. Only auth consumes it. */
export const accountMailRequested = defineEvent('auth.account_mail_requested', accountMail);

/** Mails with a token, by what it is good for. */
export type TokenPurpose = AddressMail['purpose'] | 'change_email';
/** Mails that tell something. */
export type Notice = Exclude<AccountMail, { kind: 'change_email' }>;
/** What a mail is for. Mails of each purpose are counted by themselves. */
export type MailPurpose = TokenPurpose | Notice['kind'];
