import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import { CallContext, outsideOfCalls } from '../context/call-context.js';
import { Deadline } from '../context/deadline.js';
import type { Database } from '../database/database.js';
import { logger } from '../logging/logger.js';
import type { Metrics } from '../metrics/metrics.js';
import type { SeriesCounter } from '../metrics/series.js';
import { isDatabaseUnavailable } from '../postgres/postgres-errors.js';
import { inConsumerSpan, type TraceCarrier } from '../telemetry/tracer.js';
import type { EventBus } from './event-bus.js';
import type { Outbox } from './outbox.js';
import { maxPending, type PendingEvents } from './pending-events.js';

/** Events delivered at the same time: a slow mail server delays the others no longer than its own timeout (20 s). */
const batchSize = 4;
const pollMs = 1000;
/** The relay runs this long after an append, when its transaction has most likely committed. */
const promptMs = 30;
/** A relay that died leaves its batch locked for this long. */
const leaseSeconds = 60;
/** A consumer gives up before the lease of its event ends: else another relay would deliver it at the same time. */
const consumerTimeoutMs = 50_000;
/** After 12 attempts, about an hour of doubling delays, an event is marked as failed, for a person to look at. */
const maxAttempts = 12;

interface OutboxRow {
  readonly id: string;
  readonly topic: string;
  readonly payload: unknown;
  readonly attempts: number;
  readonly trace: TraceCarrier | null;
  readonly created_at: Date;
}

/** No user sees the queue. */
const seenByNobody = { scopes: [] };

/** Delivers the events of one outbox to the consumers of this process. */
export class OutboxRelay implements OnApplicationBootstrap, OnApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | null = null;
  private isStopped = true;
  private endReport: () => void = () => undefined;
  private readonly deliveries: SeriesCounter<'topic' | 'result'>;
  private readonly schema: string;

  constructor(
    outbox: Outbox,
    private readonly database: Database,
    private readonly bus: EventBus,
    private readonly pending: PendingEvents,
    metrics: Metrics,
  ) {
    this.schema = outbox.schema;
    this.deliveries = metrics.counter({
      name: 'outbox_deliveries_total',
      help: 'Events delivered from the outbox, by topic and result.',
      labelNames: ['topic', 'result'],
    });
    outbox.notify(() => this.schedule(promptMs));
  }

  onApplicationBootstrap(): void {
    this.isStopped = false;
    for (const topic of this.bus.topics())
      for (const result of ['success', 'error']) this.deliveries.series({ topic, result });
    this.endReport = this.pending.report(this.schema, () => this.countPending());
    this.schedule(0);
  }

  async onApplicationShutdown(): Promise<void> {
    this.isStopped = true;
    this.endReport();
    clearTimeout(this.timer);
    await this.running;
  }

  /** A transaction that writes nothing: it is no read of a user, and must not be counted as one. */
  private countPending(): Promise<number> {
    return outsideOfCalls(() =>
      this.database.write(async (manager) => {
        const [row] = await manager.query<{ count: number }[]>(
          `SELECT count(*)::int AS count
           FROM (SELECT FROM ${this.schema}.outbox WHERE failed_at IS NULL LIMIT $1) AS waiting`,
          [maxPending],
        );
        return row?.count ?? 0;
      }, seenByNobody),
    );
  }

  /** A relay that a call asked for works for others too, so it is part of no call. */
  private schedule(delayMs: number): void {
    if (this.isStopped || this.running !== null) return;
    clearTimeout(this.timer);
    this.timer = outsideOfCalls(() => setTimeout(() => this.start(), delayMs));
  }

  private start(): void {
    this.running = this.relayAll()
      .catch((error: unknown) => {
        // That the database is not available is logged by the calls that wait for it.
        if (!isDatabaseUnavailable(error))
          logger.error({ err: error, schema: this.schema }, 'outbox relay failed');
      })
      .finally(() => {
        this.running = null;
        this.schedule(pollMs);
      });
  }

  private async relayAll(): Promise<void> {
    for (;;) {
      const batch = await this.claim();
      await Promise.all(batch.map((row) => this.relay(row)));
      if (batch.length < batchSize || this.isStopped) return;
    }
  }

  /**
   * Takes a batch for this process alone; with `SKIP LOCKED` the relays of other processes skip it. Only topics that this
   * process consumes: a process without their consumers must not take events away.
   */
  private claim(): Promise<OutboxRow[]> {
    return this.database.write(async (manager) => {
      const [rows] = await manager.query<[OutboxRow[], number]>(
        `UPDATE ${this.schema}.outbox SET attempts = attempts + 1, available_at = now() + make_interval(secs => $1)
         WHERE id IN (
           SELECT id FROM ${this.schema}.outbox
           WHERE failed_at IS NULL AND available_at <= now() AND topic = ANY ($3)
           ORDER BY available_at LIMIT $2 FOR UPDATE SKIP LOCKED)
         RETURNING id, topic, payload, attempts, trace, created_at`,
        [leaseSeconds, batchSize, this.bus.topics()],
      );
      return rows;
    }, seenByNobody);
  }

  private relay(row: OutboxRow): Promise<void> {
    const attributes = {
      'messaging.system': 'outbox',
      'messaging.operation.type': 'process',
      'messaging.destination.name': row.topic,
    };
    return inConsumerSpan({ name: `process ${row.topic}`, attributes }, row.trace, () => this.handle(row));
  }

  private async handle(row: OutboxRow): Promise<void> {
    const { id, topic, attempts } = row;
    try {
      await this.deliver(row);
    } catch (error) {
      this.deliveries.series({ topic, result: 'error' }).inc();
      logger.warn({ err: error, topic, event_id: id, attempts }, 'an event failed');
      await this.postpone(row);
      return;
    }
    this.deliveries.series({ topic, result: 'success' }).inc();
    await this.database.write(
      (manager) => manager.query(`DELETE FROM ${this.schema}.outbox WHERE id = $1`, [id]),
      seenByNobody,
    );
  }

  private async deliver({ id, topic, payload, created_at }: OutboxRow): Promise<void> {
    const call = new CallContext({ deadline: new Deadline(consumerTimeoutMs) });
    try {
      await call.run(() => this.bus.deliver(topic, payload, { id, occurredAt: created_at }));
    } finally {
      call.deadline.end();
    }
  }

  private async postpone({ id, attempts }: OutboxRow): Promise<void> {
    await this.database.write(
      (manager) =>
        manager.query(
          `UPDATE ${this.schema}.outbox
           SET available_at = now() + make_interval(secs => $2), failed_at = CASE WHEN $3 THEN now() END
           WHERE id = $1`,
          [id, Math.min(2 ** attempts, 900), attempts >= maxAttempts],
        ),
      seenByNobody,
    );
  }
}
