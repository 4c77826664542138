/**
 * Loaded before the API (`--import`), this takes its metrics away: what writes down requests, operations and the delay of the
 * event loop, all of prom-client, and the metrics of Node itself with their timers and observers. What stays are the calls
 * of counters that do nothing, and the labels that a few of them are given.
 */
import { createRequire, registerHooks } from 'node:module';

const replacements = {
  'http/request-metrics': 'export const measureRequests = () => () => undefined;',
  'operations/series':
    'const nothing = { inc: () => undefined, observe: () => undefined };' +
    'class Nothing { series() { return nothing; } }' +
    'export { Nothing as SeriesCounter, Nothing as SeriesHistogram };',
  'operations/timed': 'export const timed = (_series, run) => run();',
  'operations/event-loop': 'export const watchEventLoop = () => () => undefined;',
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

const nothing = (): void => undefined;

/** Instead of every kind of metric. */
class Nothing {
  readonly inc = nothing;
  readonly dec = nothing;
  readonly set = nothing;
  readonly observe = nothing;
  readonly zero = nothing;
  readonly remove = nothing;
  readonly reset = nothing;
}

Object.assign(createRequire(import.meta.url)('prom-client') as object, {
  Counter: Nothing,
  Gauge: Nothing,
  Histogram: Nothing,
  collectDefaultMetrics: nothing,
});
