import { Injectable } from '@nestjs/common';
import type { z } from 'zod';

/** A fact that one feature tells the others: its topic and the schema of its payload. */
export interface EventDefinition<S extends z.ZodType = z.ZodType> {
  readonly topic: string;
  readonly payload: S;
}

export interface EventMeta {
  /** Id of the event: the same on each delivery, so that a handler can be idempotent by it. */
  readonly id: string;
  readonly occurredAt: Date;
}

export type EventHandler<P> = (payload: P, meta: EventMeta) => Promise<void>;

export const defineEvent = <S extends z.ZodType>(topic: string, payload: S): EventDefinition<S> => ({
  topic,
  payload,
});

/** Delivers events to the handlers of this process. Delivery is at least once: handlers are idempotent. */
@Injectable()
export class EventBus {
  private readonly handlers = new Map<string, EventHandler<unknown>[]>();

  subscribe<S extends z.ZodType>(event: EventDefinition<S>, handler: EventHandler<z.output<S>>): void {
    const parsed: EventHandler<unknown> = (payload, meta) => handler(event.payload.parse(payload), meta);
    this.handlers.set(event.topic, [...(this.handlers.get(event.topic) ?? []), parsed]);
  }

  /** The topics that this process handles. */
  topics(): string[] {
    return [...this.handlers.keys()];
  }

  /** Resolves when every handler is done; rejects when one fails, and then the event will come again. */
  async deliver(topic: string, payload: unknown, meta: EventMeta): Promise<void> {
    for (const handler of this.handlers.get(topic) ?? []) await handler(payload, meta);
  }
}
