import type { Type } from '@nestjs/common';
import { consumersOf } from './on-event.js';

/** A consumer of a topic, whichever process it runs in. */
export interface Route {
  /** `<feature>.<name>` */
  readonly consumer: string;
  /** The feature whose inbox gets the event. */
  readonly feature: string;
}

/** What the routes are made of: each feature with the classes of its consumers. */
export interface ConsumingFeature {
  readonly name: string;
  readonly consumers: readonly Type[];
}

/** Which consumers a topic has. Made from the features of all apps: a process also publishes what only others consume. */
export class EventRoutes {
  private readonly routes = new Map<string, readonly Route[]>();

  /** @throws Error where two consumers have the same name */
  constructor(features: readonly ConsumingFeature[]) {
    const names = new Set<string>();
    for (const { name: feature, consumers } of features)
      for (const { name, event } of consumers.flatMap(consumersOf)) {
        const consumer = `${feature}.${name}`;
        if (names.has(consumer)) throw new Error(`There are two consumers with the name ${consumer}.`);
        names.add(consumer);
        this.routes.set(event.topic, [...this.of(event.topic), { consumer, feature }]);
      }
  }

  /** The consumers of a topic. */
  of(topic: string): readonly Route[] {
    return this.routes.get(topic) ?? [];
  }

  /** The topics all of whose consumers belong to these features. */
  topicsWithin(features: ReadonlySet<string>): string[] {
    return [...this.routes]
      .filter(([, routes]) => routes.every(({ feature }) => features.has(feature)))
      .map(([topic]) => topic);
  }
}
