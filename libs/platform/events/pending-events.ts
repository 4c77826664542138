import type { Metrics } from '../metrics/metrics.js';

/** Every process queries the same table, so not at each scrape. */
const freshMs = 10_000;
/** Larger numbers are reported as this one, so that counting stays cheap for a long queue. */
export const maxPending = 100_000;

interface Queue {
  readonly count: () => Promise<number>;
  value: number | null;
  askedAt: number;
}

/** The metric of the events that wait, over all outboxes of a process. */
export class PendingEvents {
  private readonly queues = new Map<string, Queue>();

  constructor(metrics: Metrics) {
    const { queues } = this;
    metrics.gauge({
      name: 'outbox_pending',
      help: 'Events in the outbox that are not delivered yet, 100000 for more; failed events do not count. Every process tells the same, at most 10 s and one scrape old. No series while the database can not be asked.',
      labelNames: ['schema'],
      aggregator: 'max',
      collect() {
        this.reset();
        for (const [schema, queue] of queues) {
          if (queue.value !== null) this.set({ schema }, queue.value);
          refresh(queue);
        }
      },
    });
  }

  /** Reports the outbox of `schema` until the function that it returns is called. */
  report(schema: string, count: () => Promise<number>): () => void {
    const queue: Queue = { count, value: null, askedAt: -Infinity };
    this.queues.set(schema, queue);
    refresh(queue);
    return () => {
      if (this.queues.get(schema) === queue) this.queues.delete(schema);
    };
  }
}

/** Nothing waits for it: a scrape takes no longer when the database is slow or not available. */
function refresh(queue: Queue): void {
  const now = performance.now();
  if (now - queue.askedAt < freshMs) return;
  queue.askedAt = now;
  queue.count().then(
    (value) => (queue.value = value),
    () => (queue.value = null),
  );
}
