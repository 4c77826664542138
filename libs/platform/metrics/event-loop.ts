import { performance } from 'node:perf_hooks';
import type { Metrics } from './metrics.js';

/** How often the event loop is checked for delays. */
const sampleMs = 20;

/** Measures the event loop until the function that it returns is called. */
export function watchEventLoop(metrics: Metrics): () => void {
  let last = performance.eventLoopUtilization();
  // An autoscaler may follow it: a busy loop makes each request wait, whatever the CPU of the whole pod says.
  metrics.gauge({
    name: 'nodejs_eventloop_utilization',
    aggregator: 'average',
    help: 'Share of its time that the event loop was busy since these metrics were last read, 0 to 1.',
    collect() {
      const now = performance.eventLoopUtilization();
      this.set(performance.eventLoopUtilization(now, last).utilization);
      last = now;
    },
  });
  const delay = metrics
    .histogram({
      name: 'nodejs_eventloop_delay_seconds',
      help: 'Delay of the event loop, measured by a timer every 20 ms. Unlike the default metrics of Node it is not reset by a scrape.',
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    })
    .series({});
  let dueAt = performance.now() + sampleMs;
  const timer = setInterval(() => {
    const now = performance.now();
    delay.observe(Math.max(0, now - dueAt) / 1000);
    dueAt = now + sampleMs;
  }, sampleMs).unref();
  return () => clearInterval(timer);
}
