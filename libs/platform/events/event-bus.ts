import type { z } from 'zod';
import type { EventDefinition, EventHandler, EventMeta } from './event.js';

/** Delivers events to the consumers of this process. */
export class EventBus {
  private readonly handlers = new Map<string, EventHandler<unknown>[]>();

  /** The topics that this process consumes. */
  topics(): string[] {
    return [...this.handlers.keys()];
  }

  /** Resolves when every consumer is done; rejects when one fails, and then the event is delivered again. */
  async deliver(topic: string, payload: unknown, meta: EventMeta): Promise<void> {
    for (const handler of this.handlers.get(topic) ?? []) await handler(payload, meta);
  }

  subscribe<S extends z.ZodType>(event: EventDefinition<S>, handler: EventHandler<z.output<S>>): void {
    const parsed: EventHandler<unknown> = (payload, meta) => handler(event.payload.parse(payload), meta);
    this.handlers.set(event.topic, [...(this.handlers.get(event.topic) ?? []), parsed]);
  }
}
