import 'reflect-metadata';
import type { z } from 'zod';
import type { EventDefinition, EventHandler } from './event.js';

const EVENTS = Symbol('events');

/**
 * Makes a method of a provider a consumer of the event. Delivery is at least once: the method must be idempotent.
 *
 * ```ts
 * @OnEvent(userDeleted)
 * async purge({ user_id }: EventPayload<typeof userDeleted>, { id }: EventMeta): Promise<void> {}
 * ```
 */
export const OnEvent =
  <S extends z.ZodType>(event: EventDefinition<S>) =>
  <M extends EventHandler<z.output<S>>>(
    _target: object,
    _name: string | symbol,
    method: TypedPropertyDescriptor<M>,
  ): void => {
    const { value } = method;
    if (value === undefined) throw new Error('@OnEvent belongs to a method.');
    Reflect.defineMetadata(EVENTS, [...eventsOf(value), event], value);
  };

/** Payload of an event as its consumers get it. */
export type EventPayload<E extends EventDefinition> = z.output<E['payload']>;

/** The events that a method consumes. */
export const eventsOf = (method: object): readonly EventDefinition[] =>
  (Reflect.getMetadata(EVENTS, method) as readonly EventDefinition[] | undefined) ?? [];
