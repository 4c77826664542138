import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import { outsideOfCalls } from '../context/call-context.js';
import type { Database } from '../database/database.js';
import { BackgroundLoop } from './background-loop.js';
import type { EventRoutes } from './event-routes.js';
import { seenByNobody, type Inboxes, type StoredEvent } from './inbox.js';
import type { Outbox } from './outbox.js';
import { maxCounted, type PendingEvents } from './pending-events.js';

const batchSize = 100;
const pollMs = 1000;
/** The relay runs this long after an append, when its transaction has most likely committed. */
const promptMs = 30;
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

/**
 * Moves the events of one outbox into the inboxes of their consumers. An inbox may be in another database, so an event is
 * deleted here only after it was stored there; one that is moved twice is stored once.
 *
 * It takes only events all of whose consumers it can reach. Events that this build does not know stay for another one.
 */
export class OutboxRelay implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly loop: BackgroundLoop;
  private readonly topics: readonly string[];
  private endReport: () => void = () => undefined;

  constructor(private readonly parts: RelayParts) {
    const { outbox, routes, inboxes } = parts;
    this.topics = routes.topicsWithin(inboxes.features());
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

  /** A transaction that writes nothing: it is no read of a user, and must not be counted as one. */
  private countPending(): Promise<number> {
    return outsideOfCalls(() =>
      this.parts.database.write(async (manager) => {
        const [row] = await manager.query<{ count: number }[]>(
          `SELECT count(*)::int AS count
           FROM (SELECT FROM ${this.parts.outbox.schema}.outbox WHERE failed_at IS NULL LIMIT $1) AS waiting`,
          [maxCounted],
        );
        return row?.count ?? 0;
      }, seenByNobody),
    );
  }

  private async relayAll(): Promise<void> {
    let count = batchSize;
    while (count === batchSize && !this.loop.isStopped) {
      const events = await this.claim();
      await this.move(events);
      count = events.length;
    }
  }

  /** An inbox that is not available holds up its own events only. @throws the error of the first such inbox */
  private async move(events: readonly StoredEvent[]): Promise<void> {
    const { routes, inboxes } = this.parts;
    const errors = new Map<string, unknown>();
    const stored = events.flatMap((event) =>
      routes.of(event.topic).map(({ consumer, feature }) => ({ consumer, feature, event })),
    );
    for (const [feature, ofFeature] of Map.groupBy(stored, (event) => event.feature))
      await inboxes
        .get(feature)
        .store(ofFeature)
        .catch((error: unknown) => errors.set(feature, error));
    const isMoved = ({ topic }: StoredEvent) => !routes.of(topic).some(({ feature }) => errors.has(feature));
    await this.delete(events.filter(isMoved));
    for (const error of errors.values()) throw error;
  }

  /** Takes a batch for this process alone; with `SKIP LOCKED` the relays of other processes skip it. */
  private claim(): Promise<readonly StoredEvent[]> {
    const { database, outbox, leaseSeconds: seconds = leaseSeconds } = this.parts;
    return database.write(async (manager) => {
      const [rows] = await manager.query<[StoredEvent[], number]>(
        `WITH due AS MATERIALIZED (
           SELECT id FROM ${outbox.schema}.outbox
           WHERE failed_at IS NULL AND available_at <= now() AND topic = ANY ($3)
           ORDER BY available_at LIMIT $2 FOR UPDATE SKIP LOCKED)
         UPDATE ${outbox.schema}.outbox event SET available_at = now() + make_interval(secs => $1)
         FROM due WHERE event.id = due.id
         RETURNING event.id, event.topic, event.payload, event.trace, event.created_at AS "occurredAt"`,
        [seconds, batchSize, this.topics],
      );
      return rows;
    }, seenByNobody);
  }

  private async delete(events: readonly StoredEvent[]): Promise<void> {
    const { database, outbox } = this.parts;
    if (events.length === 0) return;
    await database.write(
      (manager) =>
        manager.query(`DELETE FROM ${outbox.schema}.outbox WHERE id = ANY ($1)`, [
          events.map(({ id }) => id),
        ]),
      seenByNobody,
    );
  }
}
