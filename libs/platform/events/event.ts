import type { EntityManager } from 'typeorm';
import type { z } from 'zod';

/** A fact that one feature publishes to the others: its topic and the schema of its payload. */
export interface EventDefinition<S extends z.ZodType = z.ZodType> {
  readonly topic: string;
  readonly payload: S;
}

export interface EventMeta {
  /** Id of the event: the same on each delivery. Give it to mail servers and other systems, so that they can tell repetitions. */
  readonly id: string;
  readonly occurredAt: Date;
  /**
   * Marks the event as consumed in the transaction of `manager`, which must be one of the consumer's own feature: the other
   * effects of that transaction then happen once, however often the event is delivered. Call it in the last transaction of
   * the method.
   *
   * @throws EventConsumed where it has been consumed already: let it pass, so that the transaction rolls back
   */
  consume(manager: EntityManager): Promise<void>;
}

export type EventHandler<P> = (payload: P, meta: EventMeta) => Promise<void>;

/** Another delivery of the same event has taken effect. */
export class EventConsumed extends Error {
  constructor() {
    super('The event has been consumed already.');
  }
}

export const defineEvent = <S extends z.ZodType>(topic: string, payload: S): EventDefinition<S> => ({
  topic,
  payload,
});
