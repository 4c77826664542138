import 'reflect-metadata';
import type { Type } from '@nestjs/common';
import { SetMetadata } from '@nestjs/common';

/** Is told of each call of a handler that passed the guards, when it ended: the error, or null. */
export type Observe = (error: unknown) => void;

/** A provider that observes calls, such as to count their results. */
export interface CallObserver {
  /** Once for each handler that names this observer; undefined where there is nothing to observe. */
  observe(handler: object): Observe;
}

const key = 'endpoint:observer';

/** Part of a decorator: calls of the handler are observed by that provider. */
export const ObservedBy = (observer: Type<CallObserver>): MethodDecorator => SetMetadata(key, observer);

export const observerOf = (handler: object): Type<CallObserver> | undefined =>
  Reflect.getMetadata(key, handler) as Type<CallObserver> | undefined;
