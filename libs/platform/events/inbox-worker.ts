import type { OnApplicationBootstrap, OnApplicationShutdown, Type } from '@nestjs/common';
import { outsideOfCalls } from '../context/call-context.js';
import type { Metrics } from '../metrics/metrics.js';
import { BackgroundLoop } from './background-loop.js';
import type { EventHandler } from './event.js';
import { EventConsumer, type ConsumerTiming, type Deliveries } from './event-consumer.js';
import type { Inbox } from './inbox.js';
import { consumersOf } from './on-event.js';
import type { PendingEvents } from './pending-events.js';

/** For events that other processes stored, and for those whose delay is over; the relay of this process wakes consumers. */
const pollMs = 2000;

export interface WorkerParts {
  readonly inbox: Inbox;
  /** Objects of the feature's consumer classes. */
  readonly consumers: readonly object[];
  readonly pending: PendingEvents;
  readonly metrics: Metrics;
  readonly timing?: ConsumerTiming;
}

/** Runs the consumers of one feature. One query every two seconds finds out for which of them events are due. */
export class InboxWorker implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly consumers: ReadonlyMap<string, EventConsumer>;
  private readonly poll: BackgroundLoop;
  private endReport: () => void = () => undefined;

  constructor(private readonly parts: WorkerParts) {
    const { inbox, metrics, timing, consumers } = parts;
    const deliveries: Deliveries = metrics.counter({
      name: 'outbox_deliveries_total',
      help: 'Attempts of consumers to handle an event, by topic, consumer and result.',
      labelNames: ['topic', 'consumer', 'result'],
    });
    const all = consumers
      .flatMap((object) => handlersOf(inbox.feature, object))
      .map((declared) => new EventConsumer({ ...declared, inbox, deliveries, timing }));
    this.consumers = new Map(all.map((consumer) => [consumer.name, consumer]));
    this.poll = new BackgroundLoop({ name: `${inbox.feature}.inbox`, work: () => this.wakeDue(), pollMs });
  }

  onApplicationBootstrap(): void {
    const { pending, inbox } = this.parts;
    const names = [...this.consumers.keys()];
    this.endReport = pending.reportInbox(inbox.feature, names, () => outsideOfCalls(() => inbox.count()));
    for (const consumer of this.consumers.values()) consumer.start();
    this.poll.start();
  }

  async onApplicationShutdown(): Promise<void> {
    this.endReport();
    await Promise.all([this.poll, ...this.consumers.values()].map((part) => part.stop()));
  }

  private async wakeDue(): Promise<void> {
    const due = await this.parts.inbox.listDue([...this.consumers.keys()]);
    for (const name of due) this.consumers.get(name)?.wake();
  }
}

/** The consumers of an object, ready to be called. */
export function handlersOf(feature: string, object: object) {
  return consumersOf(object.constructor as Type).map(({ name, event, method }) => {
    const handler = (object as Readonly<Record<string, unknown>>)[method] as EventHandler<unknown>;
    return { name: `${feature}.${name}`, event, handler: handler.bind(object) };
  });
}
