import { Counter } from 'prom-client';
import type { CurrentTrace } from '../context/current-trace.js';

/**
 * Counters and histograms for what happens with each request. prom-client writes the labels together into a text for every
 * `inc` and `observe` to look its series up; here whoever counts keeps the series, and adds to a number.
 */
export interface SeriesOptions<Label extends string> {
  readonly name: string;
  readonly help: string;
  readonly labelNames?: readonly Label[];
}
type Labels<Label extends string> = Readonly<Record<Label, string>>;

/** Series by their labels, each made once. */
class SeriesMap<Label extends string, Series> {
  private readonly known = new Map<string, Series>();

  constructor(private readonly labelNames: readonly Label[]) {}

  get(labels: Labels<Label>, make: () => Series): Series {
    const key = JSON.stringify(this.labelNames.map((name) => labels[name]));
    const series = this.known.get(key) ?? make();
    this.known.set(key, series);
    return series;
  }

  values(): Iterable<Series> {
    return this.known.values();
  }
}

export class CounterSeries {
  /** Since prom-client was told. */
  private untold = 0;

  inc(by = 1): void {
    this.untold += by;
  }

  take(): number {
    const { untold } = this;
    this.untold = 0;
    return untold;
  }
}

export class SeriesCounter<Label extends string = never> {
  /** As prom-client's registry takes it. */
  readonly metric: Counter<Label>;
  private readonly all: SeriesMap<Label, readonly [Labels<Label>, CounterSeries]>;

  constructor(options: SeriesOptions<Label>) {
    const { labelNames = [] } = options;
    this.all = new SeriesMap(labelNames);
    const tell = (): void => {
      for (const [labels, series] of this.all.values()) this.metric.inc(labels, series.take());
    };
    this.metric = new Counter({ ...options, labelNames, registers: [], collect: tell });
  }

  /** To be kept: for each request it would be no faster than prom-client. It is there from now on, as zero. */
  series(labels: Labels<Label>): CounterSeries {
    const [, series] = this.all.get(labels, () => [labels, new CounterSeries()]);
    return series;
  }
}

interface Exemplar {
  readonly labelSet: { readonly trace_id: string; readonly span_id: string };
  readonly value: number;
  readonly timestamp: number;
}

export class HistogramSeries {
  /** Of each bucket alone; the last one has no bound. */
  readonly counts: number[];
  readonly exemplars: (Exemplar | undefined)[] = [];
  sum = 0;

  constructor(private readonly bounds: readonly number[]) {
    this.counts = [...bounds.map(() => 0), 0];
  }

  /** `trace`: of what was measured, where somebody can look it up. */
  observe(value: number, trace?: CurrentTrace): void {
    let bucket = 0;
    for (; bucket < this.bounds.length; bucket++) if (value <= (this.bounds[bucket] ?? 0)) break;
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1;
    this.sum += value;
    if (trace === undefined) return;
    const labelSet = { trace_id: trace.traceId, span_id: trace.spanId };
    this.exemplars[bucket] = { labelSet, value, timestamp: Date.now() / 1000 };
  }
}

/** As one of prom-client's, which asks each metric of its registry for what `get` returns. */
export class SeriesHistogram<Label extends string = never> {
  readonly type = 'histogram';
  readonly aggregator = 'sum';
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly Label[];
  private readonly bounds: readonly number[];
  private readonly all: SeriesMap<Label, readonly [Labels<Label>, HistogramSeries]>;

  constructor({
    name,
    help,
    labelNames = [],
    buckets,
  }: SeriesOptions<Label> & { buckets: readonly number[] }) {
    this.name = name;
    this.help = help;
    this.labelNames = labelNames;
    this.bounds = buckets;
    this.all = new SeriesMap(labelNames);
  }

  /** To be kept, as a counter's. */
  series(labels: Labels<Label>): HistogramSeries {
    const [, series] = this.all.get(labels, () => [labels, new HistogramSeries(this.bounds)]);
    return series;
  }

  get(): object {
    const { name, help, type, aggregator } = this;
    const values = [...this.all.values()].flatMap(([labels, series]) => this.valuesOf(labels, series));
    return { name, help, type, aggregator, values };
  }

  private valuesOf(sharedLabels: Labels<Label>, { counts, exemplars, sum }: HistogramSeries): object[] {
    let total = 0;
    const buckets = counts.map((count, n) => {
      total += count;
      const labels = { le: this.bounds[n] ?? '+Inf' };
      const exemplar = exemplars[n];
      return { metricName: `${this.name}_bucket`, labels, sharedLabels, value: total, exemplar };
    });
    return [
      ...buckets,
      { metricName: `${this.name}_sum`, sharedLabels, value: sum },
      { metricName: `${this.name}_count`, sharedLabels, value: total },
    ];
  }
}
