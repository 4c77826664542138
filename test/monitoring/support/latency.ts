import type { Sample } from '../../../load/support/load.js';
import { percentile } from '../../../load/support/percentile.js';
import { latencyBuckets } from '../../../libs/platform/metrics/latency-buckets.js';

export const quantiles = [0.5, 0.95, 0.99] as const;

export interface Comparison {
  readonly quantile: number;
  readonly dashboardMs: number;
  readonly loadMs: number;
  /** The number of bucket widths between the two values. */
  readonly bucketsApart: number;
}

/** Quantiles of one minute: the dashboard's beside the load generator's own. */
export function compare(quantile: number, dashboardSeconds: number, samples: readonly Sample[]): Comparison {
  if (!Number.isFinite(dashboardSeconds)) throw new Error(`The dashboard has no p${quantile * 100}.`);
  const dashboardMs = dashboardSeconds * 1000;
  const loadMs = percentile(
    samples.map(({ latencyMs }) => latencyMs),
    quantile,
  );
  const bucketsApart = Math.abs(bucketOf(dashboardMs) - bucketOf(loadMs));
  return { quantile, dashboardMs, loadMs, bucketsApart };
}

const bucketOf = (ms: number): number => latencyBuckets.filter((bound) => bound * 1000 < ms).length;

export function table(comparisons: readonly Comparison[]): string {
  const rows = comparisons.map(({ quantile, dashboardMs, loadMs }) => [
    `p${quantile * 100}`,
    `${dashboardMs.toFixed(1)} ms`,
    `${loadMs.toFixed(1)} ms`,
    `${(dashboardMs - loadMs).toFixed(1)} ms`,
    `${((dashboardMs / loadMs - 1) * 100).toFixed(0)} %`,
  ]);
  return [['', 'dashboard', 'load', 'difference', ''], ...rows]
    .map((row) => row.map((cell) => cell.padStart(12)).join(''))
    .join('\n');
}
