import {
  collectDefaultMetrics,
  Gauge,
  Registry,
  type GaugeConfiguration,
  type Metric,
  type OpenMetricsContentType,
} from 'prom-client';
import { SeriesCounter, SeriesHistogram, type SeriesOptions } from './series.js';

type GaugeOptions<Label extends string> = Pick<
  GaugeConfiguration<Label>,
  'name' | 'help' | 'labelNames' | 'aggregator' | 'collect'
>;

/**
 * All metrics of a process. Whoever measures something gets this object and asks it for counters, gauges and histograms,
 * once, when it is created. A name stands for one metric: who asks for it again gets the same one.
 */
export class Metrics {
  readonly registry = new Registry<OpenMetricsContentType>();
  /** Names of the metrics that prom-client collects of Node itself. */
  readonly nodeMetrics: ReadonlySet<string>;
  private readonly known = new Map<string, unknown>();

  /** `withNode`: also what prom-client tells of Node: memory, garbage collection, event loop. */
  constructor({ withNode = false } = {}) {
    // prom-client takes exemplars only where it is to write OpenMetrics.
    this.registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    if (withNode) collectDefaultMetrics({ register: this.registry });
    this.nodeMetrics = new Set(this.registry.getMetricsAsArray().map(({ name }) => name));
  }

  counter<Label extends string = never>(options: SeriesOptions<Label>): SeriesCounter<Label> {
    return this.once(options.name, () => {
      const counter = new SeriesCounter(options);
      this.registry.registerMetric(counter.metric);
      return counter;
    });
  }

  histogram<Label extends string = never>(
    options: SeriesOptions<Label> & { readonly buckets: readonly number[] },
  ): SeriesHistogram<Label> {
    return this.once(options.name, () => {
      const histogram = new SeriesHistogram(options);
      this.registry.registerMetric(histogram as unknown as Metric);
      return histogram;
    });
  }

  gauge<Label extends string = never>(options: GaugeOptions<Label>): Gauge<Label> {
    return this.once(options.name, () => new Gauge<Label>({ ...options, registers: [this.registry] }));
  }

  private once<T>(name: string, make: () => T): T {
    const known = this.known.get(name) ?? make();
    this.known.set(name, known);
    return known as T;
  }
}
