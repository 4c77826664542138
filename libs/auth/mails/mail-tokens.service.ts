import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Database } from '../../platform/database/database.js';
import { timeAfter } from '../../platform/database/stored-times.js';
import { CONFIG } from '../../platform/config/config.token.js';
import type { AuthConfig } from '../auth.config.js';
import { newSecretToken } from '../tokens/secret-token.js';
import type { MailPurpose, TokenPurpose } from './mail.events.js';
import {
  hashAddress,
  isNotice,
  lockRecipient,
  purposeOf,
  type MailRequest,
  type Recipient,
} from './mail-recipient.js';

const lifeSeconds: Readonly<Record<TokenPurpose, number>> = {
  ...{ verify_email: 24 * 3600, change_email: 24 * 3600, reset_password: 3600 },
};

/** A mail that is to be sent now. `token`: null for a notice. */
export interface DueMail {
  readonly to: string;
  readonly token: string | null;
}

/** A token that was used. */
export interface ConsumedToken {
  readonly accountId: string;
  /** Of the address that it was sent to. */
  readonly addressHash: Buffer;
}

/** The mails that have been sent: their count, and the single-use tokens of some. */
@Injectable()
export class MailTokensService {
  constructor(
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: Pick<AuthConfig, 'MAILS_PER_HOUR'>,
  ) {}

  /**
   * A mail that is due; null where none is: the account is unknown, its address is verified already, the address that it is to
   * have is another account's, there were as many mails of this purpose in an hour as may be, or this event's mail has been
   * sent, or its token is void. The lock on the account makes the count right when several events come at once.
   */
  issue(request: MailRequest): Promise<DueMail | null> {
    return this.database.write(async (manager) => {
      const { eventId, mail } = request;
      const recipient = await lockRecipient(manager, mail);
      if (recipient === null) return null;
      const state = await stateOf(manager, eventId);
      if (state === 'sent') return null;
      // A mail that was counted and could not be sent is retried.
      const isOver = async () =>
        (await countOfHour(manager, recipient, purposeOf(mail))) >= this.config.MAILS_PER_HOUR;
      if (state === 'new' && (await isOver())) return null;
      return { to: recipient.address, token: await store(manager, recipient, request) };
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
  async findAccount(hash: Buffer, purpose: TokenPurpose): Promise<string | null> {
    const [row] = await this.database.read((manager) =>
      manager.query<{ account_id: string }[]>(`SELECT account_id FROM auth.mail_tokens WHERE ${usable}`, [
        hash,
        purpose,
      ]),
    );
    return row?.account_id ?? null;
  }

  /**
   * Consumes the token. Returns null if it is not valid. `network`: that the user may log in from, see `KnownNetworksService`. Locks the account first, as everything does that changes it together with
   * its tokens: else two of them would wait for each other.
   */
  async consume(
    manager: EntityManager,
    hash: Buffer,
    purpose: TokenPurpose,
    network: string | null = null,
  ): Promise<ConsumedToken | null> {
    await manager.query(
      `SELECT FROM auth.accounts WHERE id = (SELECT account_id FROM auth.mail_tokens WHERE ${usable})
       FOR NO KEY UPDATE`,
      [hash, purpose],
    );
    const [rows] = await manager.query<[ConsumedToken[], number]>(
      `UPDATE auth.mail_tokens SET used_at = ${timeAfter('created_at', 'sent_at')}, used_network = $3 WHERE ${usable}
       RETURNING account_id AS "accountId", address_hash AS "addressHash"`,
      [hash, purpose, network],
    );
    return rows[0] ?? null;
  }

  /** Invalidates the account's other tokens of these purposes. */
  async void(manager: EntityManager, accountId: string, purposes: readonly TokenPurpose[]): Promise<void> {
    await manager.query(
      `UPDATE auth.mail_tokens SET used_at = ${timeAfter('created_at', 'sent_at')}
       WHERE account_id = $1 AND purpose = ANY($2) AND used_at IS NULL`,
      [accountId, purposes],
    );
  }
}

/** No user sees which mails were sent. */
const seenByNobody = { scopes: [] };

const usable =
  'token_hash = $1 AND purpose = $2 AND account_id IS NOT NULL AND used_at IS NULL AND expires_at > now()';

async function stateOf(manager: EntityManager, eventId: string): Promise<'new' | 'counted' | 'sent'> {
  const [row] = await manager.query<{ is_sent: boolean }[]>(
    `SELECT sent_at IS NOT NULL OR used_at IS NOT NULL AS is_sent FROM auth.mail_tokens WHERE event_id = $1`,
    [eventId],
  );
  if (row === undefined) return 'new';
  return row.is_sent ? 'sent' : 'counted';
}

/** By account as well as by address: neither many addresses nor many accounts make more. Each purpose counts for itself. */
async function countOfHour(
  manager: EntityManager,
  { accountId, address }: Recipient,
  purpose: MailPurpose,
): Promise<number> {
  const [row] = await manager.query<{ count: number }[]>(
    `SELECT count(*)::int AS count FROM auth.mail_tokens
     WHERE (address_hash = $1 OR account_id = $2) AND purpose = $3 AND created_at > now() - interval '1 hour'`,
    [hashAddress(address), accountId, purpose],
  );
  return row?.count ?? 0;
}

/** A mail that is sent again has a new token: the first one is not stored. */
async function store(
  manager: EntityManager,
  { accountId, address }: Recipient,
  { eventId, mail }: MailRequest,
): Promise<string | null> {
  const secret = isNotice(mail) ? null : newSecretToken();
  const seconds = isNotice(mail) ? 0 : lifeSeconds[purposeOf(mail)];
  await manager.query(
    `INSERT INTO auth.mail_tokens (event_id, account_id, address_hash, purpose, token_hash, expires_at)
     VALUES ($1, $2, $3, $4, $5, now() + make_interval(secs => $6))
     ON CONFLICT ON CONSTRAINT pk_mail_tokens
       DO UPDATE SET token_hash = excluded.token_hash, expires_at = excluded.expires_at`,
    [eventId, accountId, hashAddress(address), purposeOf(mail), secret?.hash ?? null, seconds],
  );
  return secret?.token ?? null;
}
