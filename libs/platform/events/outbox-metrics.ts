import { Gauge } from 'prom-client';
import { registry } from '../metrics/registry.js';

/** Every process asks the same table: not at each scrape, however often that is. */
const freshMs = 10_000;
/** What is more counts as this many, so that the count is cheap however long the queue is. */
export const maxPending = 100_000;

interface Queue {
  readonly count: () => Promise<number>;
  value: number | null;
  askedAt: number;
}

const queues = new Map<string, Queue>();

/** Tells how many events wait in the outbox of `schema` until the function that it returns is called. */
export function watchPending(schema: string, count: () => Promise<number>): () => void {
  const queue: Queue = { count, value: null, askedAt: -Infinity };
  queues.set(schema, queue);
  refresh(queue);
  return () => {
    if (queues.get(schema) === queue) queues.delete(schema);
  };
}

new Gauge({
  name: 'outbox_pending',
  help: 'Events in the outbox that are yet to be delivered, 100000 for more; those that were set aside do not count. Every process tells the same, at most 10 s and one scrape old; no series while the database can not be asked.',
  labelNames: ['schema'],
  aggregator: 'max',
  registers: [registry],
  collect() {
    this.reset();
    for (const [schema, queue] of queues) {
      if (queue.value !== null) this.set({ schema }, queue.value);
      refresh(queue);
    }
  },
});

/** Nobody waits for it: a scrape takes no longer for a database that is slow or away. */
function refresh(queue: Queue): void {
  const now = performance.now();
  if (now - queue.askedAt < freshMs) return;
  queue.askedAt = now;
  queue.count().then(
    (value) => (queue.value = value),
    () => (queue.value = null),
  );
}
