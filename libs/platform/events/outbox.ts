import type { EntityManager } from 'typeorm';
import type { z } from 'zod';
import type { RowValues } from '../database/row-write.js';
import { uuidv7 } from '../ids/uuid.js';
import { activeTracer } from '../telemetry/tracer.js';
import type { EventDefinition } from './event.js';
import type { EventRoutes } from './event-routes.js';

/** The part of a statement that publishes an event. */
export interface EventPart {
  readonly sql: string;
  /** Of a call, with their types. */
  readonly columns: string;
  readonly values: RowValues;
}

/**
 * A feature's transactional outbox. An event is written in the transaction of the change that it reports. An `OutboxRelay`
 * moves it to the inbox of each of its consumers afterwards, in no guaranteed order. An event that no app consumes costs
 * nothing and is not written.
 */
export class Outbox {
  private onAppended: () => void = () => undefined;

  constructor(
    readonly schema: string,
    private readonly routes: EventRoutes,
  ) {}

  /** Publishes `event` when the transaction of `manager` commits, or `delaySeconds` after that. */
  async append<S extends z.ZodType>(
    manager: EntityManager,
    event: EventDefinition<S>,
    payload: z.input<S>,
    delaySeconds = 0,
  ): Promise<void> {
    await this.appendEach(manager, event, [payload], (only) => only, delaySeconds);
  }

  /** The same for many changes of one transaction, in one statement. A change without a payload (null) is no event. */
  async appendEach<S extends z.ZodType, T>(
    manager: EntityManager,
    event: EventDefinition<S>,
    changes: readonly T[],
    payloadOf: (change: T) => z.input<S> | null,
    delaySeconds = 0,
  ): Promise<void> {
    if (changes.length === 0 || this.routes.of(event.topic).length === 0) return;
    const payloads = changes
      .map(payloadOf)
      .filter((payload) => payload !== null)
      .map((payload) => JSON.stringify(payload));
    if (payloads.length === 0) return;
    const ids = payloads.map(() => uuidv7());
    await manager.query(
      `INSERT INTO ${this.schema}.outbox (id, topic, payload, available_at, trace)
       SELECT event.id, $3, event.payload::jsonb, now() + make_interval(secs => $4), $5::jsonb
       FROM unnest($1::uuid[], $2::text[]) AS event (id, payload)`,
      [ids, payloads, event.topic, delaySeconds, activeTracer()?.carrier() ?? null],
    );
    this.onAppended();
  }

  /**
   * The same as a part of a `RowWrite`: a CTE that publishes `payload`, an SQL expression of JSON, for each row of `effect`, which
   * has the `id` of a row of `calls`; and what a call needs for that. Null where no app consumes the event. `appended` is to be
   * called when the statement has committed.
   */
  statementPart(event: EventDefinition, payload: string): EventPart | null {
    if (this.routes.of(event.topic).length === 0) return null;
    return {
      sql: `events AS (
        INSERT INTO ${this.schema}.outbox (id, topic, payload, trace)
        SELECT event_id, event_topic, ${payload}, event_trace FROM effect JOIN calls USING (id))`,
      columns: 'event_id uuid, event_topic text, event_trace jsonb',
      values: {
        event_id: uuidv7(),
        event_topic: event.topic,
        event_trace: activeTracer()?.carrier() ?? null,
      },
    };
  }

  appended(): void {
    this.onAppended();
  }

  /** Calls `listener` after each statement that wrote events, before its transaction commits. */
  notify(listener: () => void): void {
    this.onAppended = listener;
  }
}
