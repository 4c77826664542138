import type { z } from 'zod';

/** A fact that one feature publishes to the others: its topic and the schema of its payload. */
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
