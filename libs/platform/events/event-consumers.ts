import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import type { EventHandler } from './event.js';
import { EventBus } from './event-bus.js';
import { eventsOf } from './on-event.js';

/** Subscribes the methods with `@OnEvent` of all providers, before any relay starts. */
@Injectable()
export class EventConsumers implements OnModuleInit {
  constructor(
    private readonly bus: EventBus,
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
  ) {}

  onModuleInit(): void {
    for (const { instance } of this.discovery.getProviders())
      if (typeof instance === 'object' && instance !== null)
        subscribeConsumer(this.bus, instance as object, this.scanner);
  }
}

/** Subscribes the methods with `@OnEvent` of one object. */
export function subscribeConsumer(bus: EventBus, consumer: object, scanner = new MetadataScanner()): void {
  const prototype = Object.getPrototypeOf(consumer) as object | null;
  for (const name of prototype === null ? [] : scanner.getAllMethodNames(prototype)) {
    const method: unknown = Object.getOwnPropertyDescriptor(prototype, name)?.value;
    if (typeof method !== 'function') continue;
    const handler = method.bind(consumer) as EventHandler<unknown>;
    for (const event of eventsOf(method)) bus.subscribe(event, handler);
  }
}
