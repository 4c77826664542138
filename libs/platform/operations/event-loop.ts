import { performance, type EventLoopUtilization } from 'node:perf_hooks';
import { Gauge } from 'prom-client';
import { registry } from './registry.js';

let last: EventLoopUtilization = performance.eventLoopUtilization();

/** What an autoscaler may follow: a busy loop makes each request wait, whatever the CPU of the whole pod says. */
new Gauge({
  name: 'nodejs_eventloop_utilization',
  help: 'Share of its time that the event loop was busy since these metrics were last read, 0 to 1.',
  registers: [registry],
  collect() {
    const now = performance.eventLoopUtilization();
    this.set(performance.eventLoopUtilization(now, last).utilization);
    last = now;
  },
});
