import { createHash } from 'node:crypto';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { EntityManager } from 'typeorm';
import type { z } from 'zod';
import type { Database } from './database.js';
import { MalformedRequest } from '../errors/common-errors.js';
import { DomainError } from '../errors/domain-error.js';
import { principalOf } from '../security/principal.js';
import { Reply } from '../http/reply.js';

/** A POST that carries an `Idempotency-Key`. */
export interface IdempotentCall {
  readonly userId: string;
  readonly key: string;
  /** SHA-256 over method, address and body: another request under the same key is a mistake. */
  readonly fingerprint: Buffer;
}

/** The call's idempotency key, or null where the client sent none. */
export const IdempotencyKey = createParamDecorator(
  (_: unknown, context: ExecutionContext): IdempotentCall | null => {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const key = request.headers['idempotency-key'];
    const principal = principalOf(request);
    if (key === undefined || principal === undefined) return null;
    if (typeof key !== 'string' || !/^[\x21-\x7E]{1,255}$/.test(key)) {
      throw new MalformedRequest(
        'Idempotency-Key takes 1 to 255 printable ASCII characters.',
        'malformed_idempotency_key',
      );
    }
    const content = JSON.stringify([request.method, request.url, request.body ?? null]);
    return { userId: principal.userId, key, fingerprint: createHash('sha256').update(content).digest() };
  },
);

interface StoredReply {
  readonly fingerprint: Buffer;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** The table that `Idempotency` needs in a feature's schema. */
export const idempotencyTable = (schema: string): string => `
  CREATE TABLE ${schema}.idempotency_keys (
    user_id uuid NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    status smallint NOT NULL,
    headers jsonb NOT NULL,
    body json NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_idempotency_keys PRIMARY KEY (user_id, key)
  );
  CREATE INDEX idx_idempotency_keys_created_at ON ${schema}.idempotency_keys (created_at)`;

/** Gives a retried POST one effect: key and answer are stored in the effect's own transaction. */
export class Idempotency {
  constructor(
    private readonly database: Database,
    private readonly schema: string,
  ) {}

  /**
   * Runs `effect` in one transaction and remembers its reply for 24 h under the call's key, or
   * replays the remembered one. A thrown error rolls back and leaves the key free.
   *
   * @throws DomainError 409 `idempotency_in_flight` while another call with this key runs (an advisory
   *   lock, so a crash leaves nothing stuck), 422 `idempotency_mismatch` for another request
   */
  run(
    call: IdempotentCall | null,
    response: z.ZodType,
    effect: (manager: EntityManager) => Promise<Reply>,
  ): Promise<Reply> {
    if (call === null) return this.database.write(effect);
    return this.database.write(async (manager) => {
      await this.lock(manager, call);
      const stored = await this.find(manager, call);
      if (stored !== null) return replay(stored, call);
      const reply = await effect(manager);
      const final = new Reply(response.parse(reply.body), { ...reply.options, isFinal: true });
      await this.store(manager, call, final);
      return final;
    });
  }

  private async lock(manager: EntityManager, call: IdempotentCall): Promise<void> {
    const [row] = await manager.query<{ locked: boolean }[]>(
      'SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS locked',
      [`${this.schema}:${call.userId}:${call.key}`],
    );
    if (row?.locked) return;
    throw new DomainError({
      status: 409,
      code: 'idempotency_in_flight',
      detail: 'A request with this Idempotency-Key is still being worked on.',
      headers: { 'retry-after': '1' },
    });
  }

  /** The row's lock is written to the log, so that a replay too is acknowledged only once the standbys have it all. */
  private async find(manager: EntityManager, call: IdempotentCall): Promise<StoredReply | null> {
    const [row] = await manager.query<StoredReply[]>(
      `SELECT fingerprint, status, headers, body FROM ${this.schema}.idempotency_keys
       WHERE user_id = $1 AND key = $2 AND created_at > now() - interval '24 hours' FOR UPDATE`,
      [call.userId, call.key],
    );
    return row ?? null;
  }

  private async store(manager: EntityManager, call: IdempotentCall, { body, options }: Reply): Promise<void> {
    await manager.query(
      `INSERT INTO ${this.schema}.idempotency_keys (user_id, key, fingerprint, status, headers, body)
       VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT ON CONSTRAINT pk_idempotency_keys DO UPDATE
         SET fingerprint = excluded.fingerprint, status = excluded.status, headers = excluded.headers,
             body = excluded.body, created_at = now()`,
      [
        call.userId,
        call.key,
        call.fingerprint,
        options.status ?? 200,
        JSON.stringify(options.headers ?? {}),
        JSON.stringify(body ?? null),
      ],
    );
  }
}

function replay(stored: StoredReply, call: IdempotentCall): Reply {
  if (!stored.fingerprint.equals(call.fingerprint)) {
    throw new DomainError({
      status: 422,
      code: 'idempotency_mismatch',
      detail: 'This Idempotency-Key was used for another request.',
    });
  }
  const headers = { ...stored.headers, 'idempotency-replayed': 'true' };
  return new Reply(stored.body, { status: stored.status, headers, isFinal: true });
}
