import { latencyBuckets } from './latency-buckets.js';

/** As Prometheus computes it, from the shares that lie at or below each bound. */
function histogramQuantile(q: number, bounds: readonly number[], shareUpTo: (x: number) => number): number {
  let lower = 0;
  let below = 0;
  for (const bound of bounds) {
    const share = shareUpTo(bound);
    if (share >= q) return lower + ((bound - lower) * (q - below)) / (share - below);
    [lower, below] = [bound, share];
  }
  return lower;
}

/** Abramowitz and Stegun 7.1.26: off by at most 1.5e-7. */
function normalShareUpTo(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  const series = [1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592];
  const erf = 1 - series.reduce((sum, factor) => (sum + factor) * t, 0) * Math.exp(-x * x);
  return (1 + Math.sign(z) * erf) / 2;
}

const z: Readonly<Record<number, number>> = { 0.5: 0, 0.95: 1.644853627, 0.99: 2.326347874 };
/** 21 medians from 2 to 120 ms, each with four widths. */
const medians = Array.from({ length: 21 }, (_, n) => 0.002 * 60 ** (n / 20));
const widths = [0.3, 0.5, 0.8, 1];

function errorsOf(q: number, bounds: readonly number[]): number[] {
  return medians.flatMap((median) =>
    widths.map((sigma) => {
      const exact = median * Math.exp(sigma * (z[q] ?? NaN));
      const found = histogramQuantile(q, bounds, (x) => normalShareUpTo(Math.log(x / median) / sigma));
      return Math.abs(found - exact) / exact;
    }),
  );
}
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('quantiles out of the latency buckets', () => {
  it.each([
    [0.5, 0.05, 0.1],
    [0.95, 0.15, 0.25],
    [0.99, 0.15, 0.35],
  ])(
    'for log-normal latencies: the %d quantile is off by less than %d on average',
    (q, onAverage, atMost) => {
      const errors = errorsOf(q, latencyBuckets);
      expect(mean(errors)).toBeLessThan(onAverage);
      expect(Math.max(...errors)).toBeLessThan(atMost);
    },
  );

  it('would not be as good with the buckets of prom-client', () => {
    const usual = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
    expect(mean(errorsOf(0.5, usual))).toBeGreaterThan(0.05);
  });

  it('have the usual objectives as bounds', () => {
    expect(latencyBuckets).toEqual(expect.arrayContaining([0.1, 0.25, 0.3, 0.5, 1, 2.5]));
  });
});
