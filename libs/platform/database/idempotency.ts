import { setTimeout as sleep } from 'node:timers/promises';
import type { EntityManager } from 'typeorm';
import type { z } from 'zod';
import { currentCall } from '../context/call-context.js';
import { Deadline } from '../context/deadline.js';
import { ServiceUnavailable } from '../errors/common-errors.js';
import { DomainError } from '../errors/domain-error.js';
import { OutcomeUnknown } from '../postgres/database-unavailable.js';
import type { TextRow } from '../postgres/statement.js';
import type { Database } from './database.js';
import { callsSql, mayCommit, rowWrite, type RowValues, type RowWrite } from './row-write.js';

/** A call that may be retried: its effect happens once. */
export interface IdempotentCall {
  readonly userId: string;
  readonly key: string;
  /** SHA-256 of the request: a different request with the same key is a mistake. */
  readonly fingerprint: Buffer;
}

/** An answer as versions before 0.2 stored it: rendered for HTTP. */
export interface StoredAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/**
 * Result of an idempotent call: the value of its effect, of this call or of the first one. That of a replay is the JSON that
 * was stored: its instants are text, and another version of the service may have stored it in the shape that it had then.
 * It is answered again as it is.
 */
export type Outcome<T> =
  | { readonly kind: 'value'; readonly value: T; readonly isReplay: boolean }
  /** The value of this call as the JSON of its answer. */
  | { readonly kind: 'json'; readonly json: string }
  | { readonly kind: 'stored-answer'; readonly answer: StoredAnswer };

/** An effect that is one statement, for one call or for several at once, see `RowWrite`. */
export interface StatementEffect {
  /**
   * CTEs, of which `effect` returns a row for each row of `allowed`, with that one's `id` and with the value as text in its
   * column `json`. `allowed` has the columns of `calls`.
   */
  readonly sql: string;
  /** Of a call, with their types: at least `id` and `user_id`. */
  readonly columns: string;
  readonly values: RowValues;
}

/** How long a call whose COMMIT had no answer waits before it looks for its key again. */
const lookAgainMs = 250;

interface StoredRow {
  readonly fingerprint: Buffer;
  readonly status: number;
  /** Null where `body` is the value and not yet an answer. */
  readonly headers: Readonly<Record<string, string>> | null;
  readonly body: unknown;
}

/** Gives a retried call one effect: key and value are stored in the effect's own transaction. */
export class Idempotency {
  /** By the SQL of their effects. */
  private readonly writes = new Map<string, RowWrite>();

  constructor(
    private readonly database: Database,
    private readonly schema: string,
  ) {}

  /**
   * Runs `effect` in one transaction and stores its value for 24 hours under the call's key, or returns the stored one. An
   * error rolls back and leaves the key free. `form` turns the value into JSON. A `call` that is null came without a key.
   *
   * @throws IdempotencyInFlight while another call with this key runs (an advisory lock, so a crash leaves nothing stuck)
   * @throws IdempotencyMismatch where the key was used for another request
   * @throws OutcomeUnknown where COMMIT had no answer, and the key could not be looked up in time
   */
  run<S extends z.ZodType>(
    call: IdempotentCall | null,
    form: S,
    effect: (manager: EntityManager) => Promise<z.input<S>>,
  ): Promise<Outcome<z.input<S>>> {
    if (call === null)
      return this.database.write(async (manager) => {
        const value = await effect(manager);
        return { kind: 'value', value, isReplay: false };
      });
    let hadLock = false;
    const attempt = () =>
      this.database.write(async (manager) => {
        await this.lock(manager, call);
        hadLock = true;
        return this.runOnce(manager, call, form, effect);
      });
    return untilKnown(attempt, () => hadLock);
  }

  /** With the lock of the key. */
  private async runOnce<S extends z.ZodType>(
    manager: EntityManager,
    call: IdempotentCall,
    form: S,
    effect: (manager: EntityManager) => Promise<z.input<S>>,
  ): Promise<Outcome<z.input<S>>> {
    const stored = await this.find(manager, call);
    if (stored !== null) return replay<S>(stored, call);
    const value = await effect(manager);
    await this.store(manager, call, form.parse(value));
    return { kind: 'value', value, isReplay: false };
  }

  /** The same for an effect that is one statement: all of it is one round trip. */
  async runStatement<T>(call: IdempotentCall | null, effect: StatementEffect): Promise<Outcome<T>> {
    const write = this.writeOf(effect);
    if (call === null) {
      const [, json] = (await this.database.writeRow(write, effect.values)) ?? [];
      return { kind: 'json', json: textOf(json) };
    }
    const lock = this.lockOf(call);
    const fingerprint = `\\x${call.fingerprint.toString('hex')}`;
    const values = { ...effect.values, key: call.key, fingerprint, lock };
    return untilKnown(async () => {
      const [locked, json, ...known] = (await this.database.writeRow(write, values, { key: lock })) ?? [];
      if (locked === 'f') throw new IdempotencyInFlight();
      if (typeof json === 'string') return { kind: 'json', json };
      return replay<z.ZodType<unknown, T>>(storedRowOf(known), call);
    });
  }

  private writeOf({ sql, columns }: StatementEffect): RowWrite {
    let write = this.writes.get(sql);
    if (write === undefined) {
      write = rowWrite((forUpdate) => effectSql(this.schema, { sql, columns }, forUpdate));
      this.writes.set(sql, write);
    }
    return write;
  }

  private lockOf({ userId, key }: IdempotentCall): string {
    return `${this.schema}:${userId}:${key}`;
  }

  private async lock(manager: EntityManager, call: IdempotentCall): Promise<void> {
    const [row] = await manager.query<{ locked: boolean }[]>(
      'SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS locked',
      [this.lockOf(call)],
    );
    if (!row?.locked) throw new IdempotencyInFlight();
  }

  /** Locking the row writes WAL, so that a replay, too, is acknowledged only once the standbys have the effect. */
  private async find(manager: EntityManager, call: IdempotentCall): Promise<StoredRow | null> {
    const [row] = await manager.query<StoredRow[]>(
      `SELECT fingerprint, status, headers, body FROM ${this.schema}.idempotency_keys
       WHERE user_id = $1 AND key = $2 AND created_at > now() - interval '24 hours' FOR UPDATE`,
      [call.userId, call.key],
    );
    return row ?? null;
  }

  /** The columns are those of rendered answers: a process of an older version that meets the row replays its body. */
  private async store(manager: EntityManager, call: IdempotentCall, json: unknown): Promise<void> {
    await manager.query(
      `INSERT INTO ${this.schema}.idempotency_keys (user_id, key, fingerprint, status, headers, body)
       VALUES ($1, $2, $3, 200, 'null', $4)
       ON CONFLICT ON CONSTRAINT pk_idempotency_keys DO UPDATE
         SET fingerprint = excluded.fingerprint, status = excluded.status, headers = excluded.headers,
             body = excluded.body, created_at = now()`,
      [call.userId, call.key, call.fingerprint, JSON.stringify(json)],
    );
  }
}

/**
 * Runs a call again whose COMMIT had no answer. If that took effect, its key is there, also on a server that was promoted since. If the
 * key is not there, it has had no effect and will have none: on the same server its transaction holds the lock of the key until it has
 * ended, and a statement that arrives late finds the key or is too late to commit. `hadLock`: an attempt has had the lock, which a server
 * keeps for a while after it was lost.
 *
 * @throws OutcomeUnknown where that could not be found out before the deadline of the call
 * @throws IdempotencyInFlight where the lock of an attempt that had no effect stood until then
 */
async function untilKnown<T>(attempt: () => Promise<T>, hadLock = () => false): Promise<T> {
  let unknown: OutcomeUnknown | null = null;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (error instanceof OutcomeUnknown) unknown = error;
      const isOwnLock = error instanceof IdempotencyInFlight && hadLock();
      if (!isOwnLock && (unknown === null || !isUnsettled(error))) throw error;
      const { deadline = Deadline.none } = currentCall() ?? {};
      // Nobody would end the attempts.
      if (deadline === Deadline.none || !(await isInTime(deadline))) throw unknown ?? error;
    }
  }
}

/** The key could not be looked up; or, as a violated constraint tells, an attempt before ended when the look-up had begun. */
const isUnsettled = (error: unknown): boolean =>
  !(error instanceof DomainError) ||
  error instanceof ServiceUnavailable ||
  error instanceof IdempotencyInFlight;

const isInTime = (deadline: Deadline): Promise<boolean> =>
  deadline.limit(sleep(lookAgainMs)).then(
    () => true,
    () => false,
  );

/**
 * All rows are of the snapshot from before the locks. A call that committed in between is not seen, but then its key is met
 * when this one is to be stored: nothing is stored for it, the last column fails, and the statement is run again.
 */
function effectSql(
  schema: string,
  { sql, columns }: Pick<StatementEffect, 'sql' | 'columns'>,
  forUpdate: string,
): string {
  const isFresh = `created_at > now() - interval '24 hours'`;
  return `
    WITH ${callsSql(`${columns}, key text, fingerprint bytea, lock text`)},
    locks AS MATERIALIZED (
      SELECT n, user_id, key, pg_try_advisory_xact_lock(hashtextextended(lock, 0)) AS locked
      FROM calls WHERE lock IS NOT NULL),
    known AS MATERIALIZED (
      SELECT n, encode(fingerprint, 'hex') AS fingerprint, status, headers, body
      FROM locks CROSS JOIN LATERAL (
        SELECT fingerprint, status, headers, body FROM ${schema}.idempotency_keys
        WHERE user_id = locks.user_id AND key = locks.key AND ${isFresh} ${forUpdate}) AS stored
      WHERE locked),
    allowed AS MATERIALIZED (
      SELECT calls.* FROM calls LEFT JOIN locks USING (n) LEFT JOIN known USING (n)
      WHERE (lock IS NULL OR locked) AND known.n IS NULL),
    ${sql},
    keyed AS MATERIALIZED (
      SELECT calls.user_id, key, calls.fingerprint, json FROM effect JOIN calls USING (id) WHERE lock IS NOT NULL),
    stored AS (
      INSERT INTO ${schema}.idempotency_keys AS old (user_id, key, fingerprint, status, headers, body)
      SELECT user_id, key, fingerprint, 200, 'null', json::json FROM keyed
      ON CONFLICT ON CONSTRAINT pk_idempotency_keys DO UPDATE
        SET fingerprint = excluded.fingerprint, status = excluded.status, headers = excluded.headers,
            body = excluded.body, created_at = now()
        WHERE NOT old.${isFresh}
      RETURNING 1)
    SELECT n, locked, json, known.fingerprint, known.status, known.headers, known.body,
      CASE WHEN json IS NOT NULL
        THEN ${mayCommit} / ((SELECT count(*) FROM stored) = (SELECT count(*) FROM keyed))::int END
    FROM calls LEFT JOIN effect USING (id) LEFT JOIN locks USING (n) LEFT JOIN known USING (n)`;
}

function storedRowOf([fingerprint, status, headers, body]: TextRow): StoredRow {
  return {
    fingerprint: Buffer.from(textOf(fingerprint), 'hex'),
    status: Number(status),
    headers: JSON.parse(textOf(headers)) as StoredRow['headers'],
    body: JSON.parse(textOf(body)),
  };
}

function textOf(column: string | null | undefined): string {
  if (typeof column !== 'string') throw new Error('A write that returned nothing');
  return column;
}

function replay<S extends z.ZodType>(
  { fingerprint, status, headers, body }: StoredRow,
  call: IdempotentCall,
): Outcome<z.input<S>> {
  if (!fingerprint.equals(call.fingerprint)) throw new IdempotencyMismatch();
  if (headers !== null) return { kind: 'stored-answer', answer: { status, headers, body } };
  return { kind: 'value', value: body as z.input<S>, isReplay: true };
}

/** A call with the same key is still running. */
export class IdempotencyInFlight extends DomainError {
  constructor() {
    super({
      kind: 'conflict',
      code: 'idempotency_in_flight',
      message: 'A request with this Idempotency-Key is still being worked on.',
      retryAfterSeconds: 1,
    });
  }
}

/** The key belongs to another request. */
export class IdempotencyMismatch extends DomainError {
  constructor() {
    super({
      kind: 'invalid',
      code: 'idempotency_mismatch',
      message: 'This Idempotency-Key was used for another request.',
    });
  }
}
