import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../platform/database/database.js';
import { timeAfter } from '../../platform/database/stored-times.js';
import { CONFIG } from '../../platform/config/config.token.js';
import type { AuthConfig } from '../auth.config.js';
import { newSecretToken } from '../tokens/secret-token.js';
import type { MailPurpose } from './mail.events.js';

const lifeSeconds: Readonly<Record<MailPurpose, number>> = { verify_email: 24 * 3600, reset_password: 3600 };

/** A request for a mail, as its event tells it. */
export interface MailRequest {
  readonly eventId: string;
  readonly email: string;
  readonly purpose: MailPurpose;
}

/** Single-use tokens that go out by mail, and the count of mails to an address. */
@Injectable()
export class MailTokensService {
  constructor(
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: Pick<AuthConfig, 'MAILS_PER_HOUR'>,
  ) {}

  /**
   * A token for a mail that is due; null where none is: the address is unknown or verified already,
   * it had its mails of this purpose and hour, or this event's mail has been sent. The lock on the account
   * makes the count right when several events come at once.
   */
  issue(request: MailRequest): Promise<string | null> {
    return this.database.write(async (manager) => {
      const accountId = await lockAccount(manager, request);
      if (accountId === null) return null;
      const state = await stateOf(manager, request.eventId);
      if (state === 'sent') return null;
      // A mail that was counted and could not be sent is retried.
      if (state === 'new' && (await countOfHour(manager, request)) >= this.config.MAILS_PER_HOUR) return null;
      return store(manager, accountId, request);
    }, seenByNobody);
  }

  async markSent(eventId: string): Promise<void> {
    await this.database.write(
      (manager) =>
        manager.query(
          `UPDATE auth.mail_tokens SET sent_at = ${timeAfter('created_at')} WHERE event_id = $1`,
          [eventId],
        ),
      seenByNobody,
    );
  }

  /** The account of a token that is valid now, or null. Consistency: primary. */
  async findAccount(hash: Buffer, purpose: MailPurpose): Promise<string | null> {
    const [row] = await this.database.read((manager) =>
      manager.query<{ account_id: string }[]>(`SELECT account_id FROM auth.mail_tokens WHERE ${usable}`, [
        hash,
        purpose,
      ]),
    );
    return row?.account_id ?? null;
  }

  /** Consumes the token. Returns its account, or null if the token is not valid. */
  async consume(manager: EntityManager, hash: Buffer, purpose: MailPurpose): Promise<string | null> {
    const [rows] = await manager.query<[{ account_id: string }[], number]>(
      `UPDATE auth.mail_tokens SET used_at = ${timeAfter('created_at', 'sent_at')} WHERE ${usable} RETURNING account_id`,
      [hash, purpose],
    );
    return rows[0]?.account_id ?? null;
  }

  /** Invalidates the account's other tokens of that purpose. */
  async void(manager: EntityManager, accountId: string, purpose: MailPurpose): Promise<void> {
    await manager.query(
      `UPDATE auth.mail_tokens SET used_at = ${timeAfter('created_at', 'sent_at')}
       WHERE account_id = $1 AND purpose = $2 AND used_at IS NULL`,
      [accountId, purpose],
    );
  }
}

/** No user sees which mails were sent. */
const seenByNobody = { scopes: [] };

const usable =
  'token_hash = $1 AND purpose = $2 AND account_id IS NOT NULL AND used_at IS NULL AND expires_at > now()';

async function lockAccount(manager: EntityManager, { email, purpose }: MailRequest): Promise<string | null> {
  const [account] = await manager.query<{ id: string; is_verified: boolean }[]>(
    `SELECT id, email_verified_at IS NOT NULL AS is_verified FROM auth.accounts
     WHERE lower(email) = $1 FOR NO KEY UPDATE`,
    [email],
  );
  if (account === undefined || (purpose === 'verify_email' && account.is_verified)) return null;
  return account.id;
}

async function stateOf(manager: EntityManager, eventId: string): Promise<'new' | 'counted' | 'sent'> {
  const [row] = await manager.query<{ is_sent: boolean }[]>(
    'SELECT sent_at IS NOT NULL AS is_sent FROM auth.mail_tokens WHERE event_id = $1',
    [eventId],
  );
  if (row === undefined) return 'new';
  return row.is_sent ? 'sent' : 'counted';
}

/** Each purpose counts for itself: who asks for one of them can not keep a user from the other. */
async function countOfHour(manager: EntityManager, { email, purpose }: MailRequest): Promise<number> {
  const [row] = await manager.query<{ count: number }[]>(
    `SELECT count(*)::int AS count FROM auth.mail_tokens
     WHERE address_hash = $1 AND purpose = $2 AND created_at > now() - interval '1 hour'`,
    [hashAddress(email), purpose],
  );
  return row?.count ?? 0;
}

/** A mail that is sent again has a new token: the first one is not stored. */
async function store(manager: EntityManager, accountId: string, request: MailRequest): Promise<string> {
  const { token, hash } = newSecretToken();
  await manager.query(
    `INSERT INTO auth.mail_tokens (event_id, account_id, address_hash, purpose, token_hash, expires_at)
     VALUES ($1, $2, $3, $4, $5, now() + make_interval(secs => $6))
     ON CONFLICT ON CONSTRAINT pk_mail_tokens
       DO UPDATE SET token_hash = excluded.token_hash, expires_at = excluded.expires_at`,
    [
      request.eventId,
      accountId,
      hashAddress(request.email),
      request.purpose,
      hash,
      lifeSeconds[request.purpose],
    ],
  );
  return token;
}

const hashAddress = (email: string): Buffer => createHash('sha256').update(email).digest();
