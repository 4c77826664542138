import 'reflect-metadata';
import type { Type } from '@nestjs/common';
import type { z } from 'zod';
import type { EventDefinition, EventHandler } from './event.js';

const CONSUMERS = Symbol('consumers');

/** A method with `@OnEvent`, as its class tells it. */
export interface DeclaredConsumer {
  /** Within its feature. */
  readonly name: string;
  readonly event: EventDefinition;
  readonly method: string;
}

/**
 * Makes a method the consumer `<feature>.<name>` of the event. The class is listed among the `consumers` of its feature.
 * The name is stored with each event, so it must never change. Delivery is at least once; `meta.consume` makes the effect of a
 * transaction happen exactly once.
 *
 * ```ts
 * @OnEvent(userDeleted, 'purge-tasks')
 * async purge({ user_id }: EventPayload<typeof userDeleted>, meta: EventMeta): Promise<void> {}
 * ```
 */
export const OnEvent =
  <S extends z.ZodType>(event: EventDefinition<S>, name: string) =>
  <M extends EventHandler<z.output<S>>>(
    target: object,
    method: string,
    _descriptor: TypedPropertyDescriptor<M>,
  ): void => {
    if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name))
      throw new Error(`"${name}" is no name for a consumer: use kebab-case.`);
    Reflect.defineMetadata(CONSUMERS, [...declaredBy(target), { name, event, method }], target);
  };

/** Payload of an event as its consumers get it. */
export type EventPayload<E extends EventDefinition> = z.output<E['payload']>;

/** The consumers that a class declares. */
export const consumersOf = (type: Type): readonly DeclaredConsumer[] => declaredBy(type.prototype as object);

const declaredBy = (prototype: object): readonly DeclaredConsumer[] =>
  (Reflect.getMetadata(CONSUMERS, prototype) as readonly DeclaredConsumer[] | undefined) ?? [];
