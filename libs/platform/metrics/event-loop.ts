import { performance, type EventLoopUtilization } from 'node:perf_hooks';
import { Gauge } from 'prom-client';
import { registry } from './registry.js';
import { SeriesHistogram } from './series.js';

let last: EventLoopUtilization = performance.eventLoopUtilization();

/** What an autoscaler may follow: a busy loop makes each request wait, whatever the CPU of the whole pod says. */
new Gauge({
  name: 'nodejs_eventloop_utilization',
  aggregator: 'average',
  help: 'Share of its time that the event loop was busy since these metrics were last read, 0 to 1.',
  registers: [registry],
  collect() {
    const now = performance.eventLoopUtilization();
    this.set(performance.eventLoopUtilization(now, last).utilization);
    last = now;
  },
});

/** How often it is looked whether the loop is held up. */
const sampleMs = 20;

const delay = new SeriesHistogram({
  name: 'nodejs_eventloop_delay_seconds',
  help: 'How late the event loop ran what was due, by a timer of every 20 ms. Unlike the figures of the Node defaults it does not begin anew with each scrape.',
  buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
}).series({});

/** Measures the delay of the event loop until the function that it returns is called. */
export function watchEventLoop(): () => void {
  let dueAt = performance.now() + sampleMs;
  const timer = setInterval(() => {
    const now = performance.now();
    delay.observe(Math.max(0, now - dueAt) / 1000);
    dueAt = now + sampleMs;
  }, sampleMs).unref();
  return () => clearInterval(timer);
}
