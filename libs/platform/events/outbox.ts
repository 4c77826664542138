import type { EntityManager } from 'typeorm';
import type { z } from 'zod';
import { uuidv7 } from '../ids/uuid.js';
import { activeTracer } from '../telemetry/tracer.js';
import type { EventDefinition } from './event.js';

/**
 * A feature's transactional outbox. An event is written in the transaction of the change that it reports, and delivered at
 * least once afterwards by an `OutboxRelay`, in no guaranteed order.
 */
export class Outbox {
  private onAppended: () => void = () => undefined;

  constructor(readonly schema: string) {}

  /** Publishes `event` when the transaction of `manager` commits, or `delaySeconds` after that. */
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
    this.onAppended();
  }

  /** Calls `listener` after each event that was written, before its transaction commits. */
  notify(listener: () => void): void {
    this.onAppended = listener;
  }
}
