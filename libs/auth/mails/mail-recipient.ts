import { createHash } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import type { AccountMail, AddressMail, MailPurpose, Notice, TokenPurpose } from './mail.events.js';

export type RequestedMail = AddressMail | AccountMail;

/** A request for a mail, as its event tells it. */
export interface MailRequest {
  readonly eventId: string;
  readonly occurredAt: Date;
  readonly mail: RequestedMail;
}

/** To whom a mail goes. */
export interface Recipient {
  readonly accountId: string;
  readonly address: string;
}

export function purposeOf(mail: Exclude<RequestedMail, Notice>): TokenPurpose;
export function purposeOf(mail: RequestedMail): MailPurpose;
export function purposeOf(mail: RequestedMail): MailPurpose {
  return 'purpose' in mail ? mail.purpose : mail.kind;
}

export const isNotice = (mail: RequestedMail): mail is Notice =>
  'kind' in mail && mail.kind !== 'change_email';

/** What is stored of an address (in lower case) that a mail went to. */
export const hashAddress = (email: string): Buffer => createHash('sha256').update(email).digest();

interface AccountRow {
  readonly id: string;
  readonly email: string;
  readonly is_verified: boolean;
  readonly new_email: string | null;
}

/** Locks the account that a mail is for. Null where there is none, or the mail has no reason any more. */
export async function lockRecipient(manager: EntityManager, mail: RequestedMail): Promise<Recipient | null> {
  const [condition, value] =
    'user_id' in mail ? ['id = $1', mail.user_id] : ['lower(email) = $1', mail.email];
  const [account] = await manager.query<AccountRow[]>(
    `SELECT id, lower(email) AS email, email_verified_at IS NOT NULL AS is_verified,
       (SELECT new_email FROM auth.email_changes WHERE account_id = id) AS new_email
     FROM auth.accounts WHERE ${condition} FOR NO KEY UPDATE`,
    [value],
  );
  if (account === undefined) return null;
  const address = await addressFor(manager, mail, account);
  return address === null ? null : { accountId: account.id, address };
}

async function addressFor(
  manager: EntityManager,
  mail: RequestedMail,
  { email, is_verified, new_email }: AccountRow,
): Promise<string | null> {
  if (isNotice(mail)) return mail.email;
  switch (purposeOf(mail)) {
    case 'verify_email':
      return is_verified ? null : email;
    case 'reset_password':
      return email;
    case 'change_email':
      return new_email === null || (await isTaken(manager, new_email)) ? null : new_email;
  }
}

async function isTaken(manager: EntityManager, email: string): Promise<boolean> {
  const rows = await manager.query<unknown[]>('SELECT FROM auth.accounts WHERE lower(email) = $1', [email]);
  return rows.length > 0;
}
