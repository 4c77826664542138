import type { EntityManager } from 'typeorm';
import { Gathered } from '../async/gathered.js';
import type { Database } from '../database/database.js';
import { prepared } from '../postgres/statement.js';
import type { TraceCarrier } from '../telemetry/tracer.js';
import { EventConsumed } from './event.js';
import { type ConsumerCount, maxCounted } from './pending-events.js';

/** An event on its way. */
export interface StoredEvent {
  readonly id: string;
  readonly topic: string;
  readonly payload: unknown;
  readonly trace: TraceCarrier | null;
  readonly occurredAt: Date;
}

/** An event that a consumer has taken. `attempts`: how often it was taken, with this time. */
export interface ClaimedEvent extends StoredEvent {
  readonly attempts: number;
}

/** A consumer that runs in this process. */
export interface LocalConsumer {
  readonly leaseSeconds: number;
  /** It would begin soon to handle what is stored for it now. */
  readonly takesAtOnce: boolean;
  /** Something is stored for it. */
  wake(): void;
  /** Gives it events that were stored as taken by it. `takenAt`: by the monotonic clock; their lease began later than that. */
  take(events: readonly ClaimedEvent[], takenAt: number): Promise<void>;
}

/** An event that a consumer has handled. */
interface Mark {
  readonly consumer: string;
  readonly id: string;
}
const maxMarks = 100;

/** What makes a row of an inbox a done one, for UPDATE: nothing that may tell of a user stays in it. */
export const asDone = 'done_at = now(), payload = NULL, trace = NULL, failed_at = NULL';

/**
 * A feature's inbox: a row for each of its consumers and each event, in the feature's own database. A row that is done stays
 * for a week without its payload, so that the event is not stored a second time.
 */
export class Inbox {
  private readonly consumers = new Map<string, LocalConsumer>();
  private readonly marks = new Gathered<Mark, undefined>((marks) => this.markAll(marks), maxMarks);
  private readonly sql: ReturnType<typeof inboxSql>;

  constructor(
    readonly feature: string,
    readonly database: Database,
  ) {
    this.sql = inboxSql(feature);
  }

  /** Stores events for consumers and wakes those that run in this process. An event that is there stays as it is. */
  async store(stored: readonly { readonly consumer: string; readonly event: StoredEvent }[]): Promise<void> {
    const rows = stored.map(({ consumer, event }) => ({ ...event, consumer }));
    await this.database.runUnseen(this.sql.store, [JSON.stringify(rows)]);
    for (const consumer of new Set(rows.map((row) => row.consumer))) this.localConsumer(consumer)?.wake();
  }

  /** Undefined where the consumer runs in other processes only. */
  localConsumer(name: string): LocalConsumer | undefined {
    return this.consumers.get(name);
  }

  addConsumer(name: string, consumer: LocalConsumer): void {
    this.consumers.set(name, consumer);
  }

  /** Those of the consumers for which an event is due. */
  async listDue(consumers: readonly string[]): Promise<readonly string[]> {
    const { rows } = await this.database.runUnseen<{ name: string }>(this.sql.listDue, [consumers]);
    return rows.map(({ name }) => name);
  }

  /** Takes due events of a consumer for this process alone, for `leaseSeconds`. */
  async claim(consumer: string, limit: number, leaseSeconds: number): Promise<readonly ClaimedEvent[]> {
    const values = [consumer, limit, leaseSeconds];
    return (await this.database.runUnseen<ClaimedEvent>(this.sql.claim, values)).rows;
  }

  /** Marks the event as done in a transaction of the caller. The lock on the row lets one of two deliveries succeed. */
  async consume(manager: EntityManager, consumer: string, id: string): Promise<void> {
    if (!(await this.markDone(manager, consumer, id))) throw new EventConsumed();
  }

  /** The consumer has handled the event. Those of one turn of the event loop are marked together. */
  async done(consumer: string, id: string): Promise<void> {
    await this.marks.get({ consumer, id });
  }

  /** Gives events back that the consumer did not begin to handle: this time does not count as an attempt. */
  async release(consumer: string, events: readonly ClaimedEvent[]): Promise<void> {
    const [ids, attempts] = [events.map(({ id }) => id), events.map((event) => event.attempts)];
    await this.database.runUnseen(this.sql.release, [consumer, ids, attempts]);
  }

  /**
   * Tries the event again in `delaySeconds`; null: never, it is set aside. Does nothing where another process has taken it
   * meanwhile.
   */
  async postpone(consumer: string, event: ClaimedEvent, delaySeconds: number | null): Promise<void> {
    await this.database.runUnseen(this.sql.postpone, [consumer, event.id, event.attempts, delaySeconds]);
  }

  /** What waits and what was set aside, by consumer; counts end at `maxCounted` in all. */
  async count(): Promise<readonly ConsumerCount[]> {
    return (await this.database.runUnseen<ConsumerCount>(this.sql.count, [maxCounted])).rows;
  }

  private async markAll(marks: readonly Mark[]): Promise<readonly undefined[]> {
    const [consumers, ids] = [marks.map(({ consumer }) => consumer), marks.map(({ id }) => id)];
    await this.database.runUnseen(this.sql.markAll, [consumers, ids]);
    return marks.map(() => undefined);
  }

  private async markDone(manager: EntityManager, consumer: string, id: string): Promise<boolean> {
    const [, count] = await manager.query<[unknown, number]>(
      `UPDATE ${this.feature}.inbox SET ${asDone}
       WHERE consumer = $1 AND event_id = $2 AND done_at IS NULL`,
      [consumer, id],
    );
    return count === 1;
  }
}

/** The statements of the inbox of a feature. */
const inboxSql = (feature: string) => ({ ...queueSql(feature), ...resultSql(feature) });

const queueSql = (feature: string) => ({
  store: prepared(
    `INSERT INTO ${feature}.inbox (consumer, event_id, topic, payload, trace, occurred_at)
     SELECT consumer, id, topic, payload, trace, "occurredAt"
     FROM jsonb_to_recordset($1) AS event
       (consumer text, id uuid, topic text, payload jsonb, trace jsonb, "occurredAt" timestamptz)
     ORDER BY consumer, id
     ON CONFLICT ON CONSTRAINT pk_inbox DO NOTHING`,
  ),
  listDue: prepared(
    `SELECT name FROM unnest($1::text[]) AS name WHERE EXISTS (
       SELECT FROM ${feature}.inbox
       WHERE consumer = name AND done_at IS NULL AND failed_at IS NULL AND available_at <= now())`,
  ),
  claim: prepared(
    `WITH due AS MATERIALIZED (
       SELECT event_id FROM ${feature}.inbox
       WHERE consumer = $1 AND done_at IS NULL AND failed_at IS NULL AND available_at <= now()
       ORDER BY available_at LIMIT $2 FOR UPDATE SKIP LOCKED)
     UPDATE ${feature}.inbox event
     SET attempts = attempts + 1, available_at = now() + make_interval(secs => $3)
     FROM due WHERE event.consumer = $1 AND event.event_id = due.event_id
     RETURNING event.event_id AS id, topic, payload, trace, occurred_at AS "occurredAt", attempts`,
  ),
  count: prepared(
    `SELECT consumer, count(*) FILTER (WHERE failed_at IS NULL)::int AS pending, count(failed_at)::int AS failed
     FROM (SELECT consumer, failed_at FROM ${feature}.inbox WHERE done_at IS NULL LIMIT $1) AS unfinished
     GROUP BY consumer`,
  ),
});

/** What becomes of an event that was claimed. */
const resultSql = (feature: string) => ({
  release: prepared(
    `UPDATE ${feature}.inbox event SET available_at = now(), attempts = event.attempts - 1
     FROM unnest($2::uuid[], $3::int[]) AS claimed (id, attempts)
     WHERE consumer = $1 AND event_id = claimed.id AND event.attempts = claimed.attempts AND done_at IS NULL`,
  ),
  postpone: prepared(
    `UPDATE ${feature}.inbox
     SET available_at = CASE WHEN $4::int IS NULL THEN 'infinity' ELSE now() + make_interval(secs => $4::int) END,
         failed_at = CASE WHEN $4::int IS NULL THEN now() END
     WHERE consumer = $1 AND event_id = $2 AND attempts = $3 AND done_at IS NULL`,
  ),
  markAll: prepared(
    `UPDATE ${feature}.inbox event SET ${asDone}
     FROM unnest($1::text[], $2::uuid[]) AS handled (consumer, id)
     WHERE event.consumer = handled.consumer AND event_id = handled.id AND done_at IS NULL`,
  ),
});

/** The inboxes that a process can reach, by feature. */
export class Inboxes {
  private readonly byFeature: ReadonlyMap<string, Inbox>;

  constructor(inboxes: readonly Inbox[]) {
    this.byFeature = new Map(inboxes.map((inbox) => [inbox.feature, inbox]));
  }

  features(): ReadonlySet<string> {
    return new Set(this.byFeature.keys());
  }

  /** @throws Error where the feature has none in this process */
  get(feature: string): Inbox {
    const inbox = this.byFeature.get(feature);
    if (inbox === undefined) throw new Error(`This process does not reach the inbox of ${feature}.`);
    return inbox;
  }
}
