import type { Metrics } from '../metrics/metrics.js';

/** Every process queries the same tables, so not at each scrape. */
const freshMs = 10_000;
/** Larger numbers are reported as this one, so that counting stays cheap for a long queue. */
export const maxCounted = 100_000;

/** Events of one consumer that are not done. */
export interface ConsumerCount {
  readonly consumer: string;
  readonly pending: number;
  /** Set aside after too many attempts. */
  readonly failed: number;
}

interface Queue<T> {
  readonly count: () => Promise<T>;
  value: T | null;
  askedAt: number;
}

/** Same in all gauges of this file. */
const everyProcess =
  'Every process tells the same, at most 10 s and one scrape old. No series while the database can not be asked.';

/** The metrics of the events that wait, over all outboxes and inboxes of a process. */
export class PendingEvents {
  private readonly outboxes = new Map<string, Queue<number>>();
  private readonly inboxes = new Map<string, Queue<readonly ConsumerCount[]>>();

  constructor(metrics: Metrics) {
    const { outboxes } = this;
    metrics.gauge({
      name: 'outbox_pending',
      help: `Events in the outbox that are not in the inboxes of their consumers yet, 100000 for more. ${everyProcess}`,
      labelNames: ['schema'],
      aggregator: 'max',
      collect() {
        this.reset();
        for (const [schema, queue] of outboxes) {
          if (queue.value !== null) this.set({ schema }, queue.value);
          refresh(queue);
        }
      },
    });
    this.gaugeOfInboxes(
      metrics,
      'inbox_pending',
      `Events that a consumer has not handled yet, those of all consumers of a feature up to 100000; events that were set aside do not count. ${everyProcess}`,
      ({ pending }) => pending,
    );
    this.gaugeOfInboxes(
      metrics,
      'inbox_failed',
      `Events of a consumer that were set aside after 12 attempts in vain. ${everyProcess}`,
      ({ failed }) => failed,
    );
  }

  /** Reports the outbox of `schema` until the function that it returns is called. */
  reportOutbox(schema: string, count: () => Promise<number>): () => void {
    return add(this.outboxes, schema, count);
  }

  /** Reports the inbox of `feature` until the function that it returns is called; consumers without events as 0. */
  reportInbox(
    feature: string,
    consumers: readonly string[],
    count: () => Promise<readonly ConsumerCount[]>,
  ): () => void {
    const none = consumers.map((consumer) => ({ consumer, pending: 0, failed: 0 }));
    return add(this.inboxes, feature, async () => [...none, ...(await count())]);
  }

  private gaugeOfInboxes(
    metrics: Metrics,
    name: string,
    help: string,
    valueOf: (count: ConsumerCount) => number,
  ): void {
    const { inboxes } = this;
    const labelNames = ['consumer'] as const;
    metrics.gauge({
      ...{ name, help, labelNames, aggregator: 'max' },
      collect() {
        this.reset();
        for (const queue of inboxes.values()) {
          for (const count of queue.value ?? []) this.set({ consumer: count.consumer }, valueOf(count));
          refresh(queue);
        }
      },
    });
  }
}

function add<T>(queues: Map<string, Queue<T>>, name: string, count: () => Promise<T>): () => void {
  const queue: Queue<T> = { count, value: null, askedAt: -Infinity };
  queues.set(name, queue);
  refresh(queue);
  return () => {
    if (queues.get(name) === queue) queues.delete(name);
  };
}

/** Nothing waits for it: a scrape takes no longer when the database is slow or not available. */
function refresh<T>(queue: Queue<T>): void {
  const now = performance.now();
  if (now - queue.askedAt < freshMs) return;
  queue.askedAt = now;
  queue.count().then(
    (value) => (queue.value = value),
    () => (queue.value = null),
  );
}
