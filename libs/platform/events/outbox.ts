import { AsyncLocalStorage } from 'node:async_hooks';
import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import { Counter } from 'prom-client';
import type { EntityManager } from 'typeorm';
import type { z } from 'zod';
import type { Database } from '../database/database.js';
import { isDatabaseUnavailable } from '../postgres/postgres-errors.js';
import { uuidv7 } from '../ids/uuid.js';
import { logger } from '../logging/logger.js';
import { registry } from '../metrics/registry.js';
import type { SweepTask } from '../sweeper/sweeper.js';
import { activeTracer, inConsumerSpan, type TraceCarrier } from '../telemetry/tracer.js';
import type { EventBus, EventDefinition } from './event-bus.js';
import { maxPending, watchPending } from './outbox-metrics.js';

/** Delivered side by side: a slow mail server holds up the others no longer than its own timeout (20 s). */
const batchSize = 4;
const pollMs = 1000;
/** An append asks for a relay this much later, when its transaction has most likely committed. */
const promptMs = 30;
/** A relay that died leaves its batch locked for this long. */
const leaseSeconds = 60;
/** After 12 attempts, about an hour of doubling delays, an event is set aside for a person to look at. */
const maxAttempts = 12;

const deliveries = new Counter({
  name: 'outbox_deliveries_total',
  help: 'Events delivered from the outbox, by topic and result.',
  labelNames: ['topic', 'result'],
  registers: [registry],
});

interface OutboxRow {
  readonly id: string;
  readonly topic: string;
  readonly payload: unknown;
  readonly attempts: number;
  readonly trace: TraceCarrier | null;
  readonly created_at: Date;
}

/** No user sees the queue. */
const seenByNobody = { users: [] };

/** The table that `Outbox` needs in a feature's schema, before `outboxTraceColumn`. */
export const outboxTable = (schema: string): string => `
  CREATE TABLE ${schema}.outbox (
    id uuid NOT NULL CONSTRAINT pk_outbox PRIMARY KEY,
    topic text NOT NULL,
    payload jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    available_at timestamptz NOT NULL DEFAULT now(),
    attempts smallint NOT NULL DEFAULT 0,
    failed_at timestamptz
  );
  CREATE INDEX idx_outbox_available_at ON ${schema}.outbox (available_at) WHERE failed_at IS NULL`;

/** The trace that an event was told in, so that its handling belongs to it. */
export const outboxTraceColumn = (schema: string): string =>
  `ALTER TABLE ${schema}.outbox ADD COLUMN IF NOT EXISTS trace jsonb`;

/** What was set aside stays for a month, for a person to look at. */
export const outboxSweep = (schema: string): SweepTask => ({
  name: `${schema}.outbox`,
  statement: `
    DELETE FROM ${schema}.outbox WHERE id IN (
      SELECT id FROM ${schema}.outbox WHERE failed_at < now() - interval '30 days' LIMIT $1)`,
});

/**
 * A feature's transactional outbox and its relay. An event is written in the transaction of the
 * fact that it tells, and delivered at least once afterwards, in no promised order.
 */
export class Outbox implements OnApplicationBootstrap, OnApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | null = null;
  private isStopped = true;
  private unwatch: () => void = () => undefined;
  /** A relay that a request asked for works for others too: its log lines must not carry that request's id. */
  private readonly outsideOfRequests = AsyncLocalStorage.snapshot();

  constructor(
    private readonly database: Database,
    private readonly schema: string,
    private readonly bus: EventBus,
  ) {}

  /** Tells `event` when the transaction of `manager` commits, or `delaySeconds` after that. */
  async append<S extends z.ZodType>(
    manager: EntityManager,
    event: EventDefinition<S>,
    payload: z.input<S>,
    delaySeconds = 0,
  ): Promise<void> {
    await manager.query(
      `INSERT INTO ${this.schema}.outbox (id, topic, payload, available_at, trace)
       VALUES ($1, $2, $3, now() + make_interval(secs => $4), $5)`,
      [uuidv7(), event.topic, JSON.stringify(payload), delaySeconds, activeTracer()?.carrier() ?? null],
    );
    this.schedule(promptMs);
  }

  onApplicationBootstrap(): void {
    this.isStopped = false;
    for (const topic of this.bus.topics())
      for (const result of ['success', 'error']) deliveries.inc({ topic, result }, 0);
    this.unwatch = watchPending(this.schema, () => this.countPending());
    this.schedule(0);
  }

  async onApplicationShutdown(): Promise<void> {
    this.isStopped = true;
    this.unwatch();
    clearTimeout(this.timer);
    await this.running;
  }

  /** As a transaction that writes nothing: it is a read of no user, and shall not count among those. */
  private countPending(): Promise<number> {
    return this.outsideOfRequests(() =>
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

  private schedule(delayMs: number): void {
    if (this.isStopped || this.running !== null) return;
    clearTimeout(this.timer);
    this.timer = this.outsideOfRequests(() =>
      setTimeout(() => {
        this.running = this.relayAll()
          .catch((error: unknown) => {
            // A database that is away is reported by those who have a client waiting.
            if (!isDatabaseUnavailable(error))
              logger.error({ err: error, schema: this.schema }, 'the relay failed');
          })
          .finally(() => {
            this.running = null;
            this.schedule(pollMs);
          });
      }, delayMs),
    );
  }

  private async relayAll(): Promise<void> {
    for (;;) {
      const batch = await this.claim();
      await Promise.all(batch.map((row) => this.relay(row)));
      if (batch.length < batchSize || this.isStopped) return;
    }
  }

  /**
   * Takes a batch for this process alone; `SKIP LOCKED` keeps relays of other processes out of its way.
   * Only topics that this process handles: one without their handlers must not take events away.
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
    try {
      await this.bus.deliver(row.topic, row.payload, { id: row.id, occurredAt: row.created_at });
    } catch (error) {
      deliveries.inc({ topic: row.topic, result: 'error' });
      logger.warn(
        { err: error, topic: row.topic, event_id: row.id, attempts: row.attempts },
        'an event failed',
      );
      await this.postpone(row);
      return;
    }
    deliveries.inc({ topic: row.topic, result: 'success' });
    await this.database.write(
      (manager) => manager.query(`DELETE FROM ${this.schema}.outbox WHERE id = $1`, [row.id]),
      seenByNobody,
    );
  }

  private async postpone(row: OutboxRow): Promise<void> {
    await this.database.write(
      (manager) =>
        manager.query(
          `UPDATE ${this.schema}.outbox
           SET available_at = now() + make_interval(secs => $2), failed_at = CASE WHEN $3 THEN now() END
           WHERE id = $1`,
          [row.id, Math.min(2 ** row.attempts, 900), row.attempts >= maxAttempts],
        ),
      seenByNobody,
    );
  }
}
