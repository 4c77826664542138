/**
 * Loaded before the API (`--import`), this removes its metrics: those of requests, operations and the event loop, and
 * those of Node itself with their timers and observers. Only calls of counters that do nothing remain.
 */
import { registerHooks } from 'node:module';

const replacements = {
  'http/request-metrics': 'export const measureRequests = () => () => undefined;',
  'metrics/metrics':
    'const nothing = new Proxy({}, { get: () => () => nothing });' +
    'export class Metrics {' +
    '  registry = { getMetricsAsArray: () => [] }; nodeMetrics = new Set();' +
    '  counter() { return nothing; } histogram() { return nothing; } gauge() { return nothing; }' +
    '}',
  'metrics/timed': 'export const timed = (_series, run) => run();',
  'metrics/event-loop': 'export const watchEventLoop = () => () => undefined;',
};

registerHooks({
  load(url, context, next) {
    for (const [file, source] of Object.entries(replacements)) {
      if (!url.endsWith(`/dist/libs/platform/${file}.js`)) continue;
      process.stderr.write(`without ${file}\n`);
      return { format: 'module', source, shortCircuit: true };
    }
    return next(url, context);
  },
});
