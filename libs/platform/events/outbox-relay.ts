import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import { outsideOfCalls } from '../context/call-context.js';
import type { Database } from '../database/database.js';
import { prepared } from '../postgres/statement.js';
import { BackgroundLoop } from './background-loop.js';
import type { EventRoutes, Route } from './event-routes.js';
import type { ClaimedEvent, Inboxes, StoredEvent } from './inbox.js';
import type { Outbox } from './outbox.js';
import { maxCounted, type PendingEvents } from './pending-events.js';

const batchSize = 100;
const pollMs = 1000;
/** The relay runs this long after an append, when its transaction has most likely committed. */
const promptMs = 100;
/** A relay that died keeps its batch from others for this long. */
const leaseSeconds = 30;

export interface RelayParts {
  readonly outbox: Outbox;
  /** Of the outbox. */
  readonly database: Database;
  readonly routes: EventRoutes;
  readonly inboxes: Inboxes;
  readonly pending: PendingEvents;
  /** Default: 30. */
  readonly leaseSeconds?: number;
}

/** An event as it is in an inbox. Its payload is null unless the consumer has taken it. */
interface MovedEvent extends ClaimedEvent {
  readonly consumer: string;
}

/**
 * Moves the events of one outbox into the inboxes of their consumers, which may be in the same database or in others.
 *
 * It takes only events all of whose consumers it can reach. Events that this build does not know stay for another one.
 */
export class OutboxRelay implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly loop: BackgroundLoop;
  private readonly topics: ReturnType<OutboxRelay['topicsByPlace']>;
  private readonly sql: ReturnType<typeof relaySql>;
  private endReport: () => void = () => undefined;

  constructor(private readonly parts: RelayParts) {
    const { outbox } = parts;
    this.topics = this.topicsByPlace();
    this.sql = relaySql(outbox.schema);
    this.loop = new BackgroundLoop({
      name: `relay of ${outbox.schema}.outbox`,
      work: () => this.relayAll(),
      pollMs,
    });
    outbox.notify(() => this.loop.wake(promptMs));
  }

  onApplicationBootstrap(): void {
    const { pending, outbox } = this.parts;
    this.endReport = pending.reportOutbox(outbox.schema, () => this.countPending());
    this.loop.start();
  }

  async onApplicationShutdown(): Promise<void> {
    this.endReport();
    await this.loop.stop();
  }

  /** Not a read of a user, and must not be counted as one. */
  private countPending(): Promise<number> {
    return outsideOfCalls(async () => {
      const { rows } = await this.parts.database.runUnseen<{ count: number }>(this.sql.count, [maxCounted]);
      return rows[0]?.count ?? 0;
    });
  }

  /** @throws the error of the first inbox that is not available, after the events of all others were moved */
  private async relayAll(): Promise<void> {
    const { near, far } = this.topics;
    const failures: unknown[] = [];
    for (let isMore = true; isMore && failures.length === 0 && !this.loop.isStopped;) {
      const wereFull = [await this.moveNear(near, failures), await this.moveFar(far, failures)];
      isMore = wereFull.includes(true);
    }
    for (const error of failures) throw error;
  }

  /** Events all of whose inboxes are in the database of the outbox. An inbox that is locked or not there holds up its own only. */
  private async moveNear(topics: readonly string[], failures: unknown[]): Promise<boolean> {
    try {
      return await this.moveTogether(topics);
    } catch (error) {
      failures.push(error);
      if (topics.length > 1) for (const topic of topics) await this.moveNear([topic], failures);
      return false;
    }
  }

  /**
   * In one transaction. A quick consumer of this process gets the events at once: they are stored as taken by it, which spares
   * Postgres an update of each and of its indexes. Returns whether there may be more.
   */
  private async moveTogether(topics: readonly string[]): Promise<boolean> {
    if (topics.length === 0) return false;
    const { database, inboxes } = this.parts;
    const takenAt = performance.now();
    const targets = topics.flatMap((topic) => this.targetsOf(topic));
    const values = [
      ...[topics, batchSize],
      ...[targets.map(({ topic }) => topic), targets.map(({ consumer }) => consumer)],
      targets.map(({ feature }) => feature),
      targets.map(({ taker }) => taker?.leaseSeconds ?? null),
    ];
    const statement = this.sql.moveTo(new Set(targets.map(({ feature }) => feature)));
    const { rows } = await database.runUnseen<MovedEvent>(statement, values);
    for (const { consumer, feature, taker } of targets) {
      const events = rows.filter((row) => row.consumer === consumer);
      if (events.length === 0) continue;
      if (taker === null) inboxes.get(feature).localConsumer(consumer)?.wake();
      else await taker.take(events, takenAt);
    }
    return new Set(rows.map(({ id }) => id)).size === batchSize;
  }

  /** Where the events of a topic go. `taker`: the consumer, if it takes them at once. */
  private targetsOf(topic: string) {
    const { routes, inboxes } = this.parts;
    return routes.of(topic).map(({ consumer, feature }) => {
      const local = inboxes.get(feature).localConsumer(consumer);
      return { topic, consumer, feature, taker: local?.takesAtOnce === true ? local : null };
    });
  }

  /** An event is deleted here only after it was stored in each inbox: one that is moved twice is stored once. */
  private async moveFar(topics: readonly string[], failures: unknown[]): Promise<boolean> {
    if (topics.length === 0) return false;
    const { database, leaseSeconds: seconds = leaseSeconds } = this.parts;
    try {
      const { rows } = await database.runUnseen<StoredEvent>(this.sql.claim, [seconds, batchSize, topics]);
      await this.store(rows, failures);
      return rows.length === batchSize;
    } catch (error) {
      failures.push(error);
      return false;
    }
  }

  /** An inbox that is not available holds up its own events only. */
  private async store(events: readonly StoredEvent[], failures: unknown[]): Promise<void> {
    const { routes, inboxes } = this.parts;
    const failed = new Set<string>();
    const stored = events.flatMap((event) =>
      routes.of(event.topic).map(({ consumer, feature }) => ({ consumer, feature, event })),
    );
    for (const [feature, ofFeature] of Map.groupBy(stored, (event) => event.feature))
      await inboxes
        .get(feature)
        .store(ofFeature)
        .catch((error: unknown) => {
          failed.add(feature);
          failures.push(error);
        });
    await this.delete(
      events.filter(({ topic }) => !routes.of(topic).some(({ feature }) => failed.has(feature))),
    );
  }

  private async delete(events: readonly StoredEvent[]): Promise<void> {
    if (events.length === 0) return;
    await this.parts.database.runUnseen(this.sql.delete, [events.map(({ id }) => id)]);
  }

  /** Those that this process relays, by where the inboxes of their consumers are. */
  private topicsByPlace(): { readonly near: readonly string[]; readonly far: readonly string[] } {
    const { routes, inboxes, database } = this.parts;
    const isNear = ({ feature }: Route) => inboxes.get(feature).database.sharesTransactionsWith(database);
    const topics = routes.topicsWithin(inboxes.features());
    const near = topics.filter((topic) => routes.of(topic).every(isNear));
    return { near, far: topics.filter((topic) => !near.includes(topic)) };
  }
}

/** The statements of the relay of an outbox, which takes what is due and what no other relay is taking. */
function relaySql(schema: string) {
  const due = (column: string, topics: string, limit: string): string => `
    SELECT ${column} FROM ${schema}.outbox
    WHERE failed_at IS NULL AND available_at <= now() AND topic = ANY (${topics})
    ORDER BY available_at LIMIT ${limit} FOR UPDATE SKIP LOCKED`;
  const storedIn = (feature: string): string => `, stored_in_${feature} AS (
    INSERT INTO ${feature}.inbox (consumer, event_id, topic, payload, trace, occurred_at, available_at, attempts)
    SELECT consumer, id, topic, payload, trace, created_at, now() + make_interval(secs => coalesce(lease, 0)),
      (lease IS NOT NULL)::int
    FROM moved JOIN routes USING (topic) WHERE feature = '${feature}'
    ORDER BY consumer, id
    ON CONFLICT ON CONSTRAINT pk_inbox DO NOTHING
    RETURNING consumer, event_id AS id, topic, CASE attempts WHEN 1 THEN payload END AS payload, trace,
      occurred_at AS "occurredAt", attempts)`;
  return {
    /**
     * To the inboxes of these features. Values: the topics, the size of a batch, and the routes of the topics, each with the
     * seconds for which its consumer takes what is stored for it, or null. By the places of the rows, which are locked: a join by
     * their ids was planned as a scan of the whole table, most of which is dead rows under load (172 µs an event instead of 32).
     */
    moveTo: (features: ReadonlySet<string>) =>
      prepared(
        `WITH moved AS (
           DELETE FROM ${schema}.outbox WHERE ctid = ANY (ARRAY(${due('ctid', '$1', '$2')}))
           RETURNING id, topic, payload, trace, created_at),
         routes AS (
           SELECT * FROM unnest($3::text[], $4::text[], $5::text[], $6::float8[]) AS route (topic, consumer, feature, lease))
         ${[...features].map(storedIn).join('')}
         ${[...features].map((feature) => `SELECT * FROM stored_in_${feature}`).join(' UNION ALL ')}`,
      ),
    /** Takes a batch for this process alone, for $1 seconds. */
    claim: prepared(
      `WITH due AS MATERIALIZED (${due('id', '$3', '$2')})
       UPDATE ${schema}.outbox event SET available_at = now() + make_interval(secs => $1)
       FROM due WHERE event.id = due.id
       RETURNING event.id, event.topic, event.payload, event.trace, event.created_at AS "occurredAt"`,
    ),
    delete: prepared(`DELETE FROM ${schema}.outbox WHERE id = ANY ($1)`),
    count: prepared(
      `SELECT count(*)::int AS count
       FROM (SELECT FROM ${schema}.outbox WHERE failed_at IS NULL LIMIT $1) AS waiting`,
    ),
  };
}
