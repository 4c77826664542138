/**
 * Bounds of the latency histograms, in seconds: dense where answers are, so that `histogram_quantile` is close to the
 * truth (latency-buckets.spec.ts says how close), and no denser, since each costs a series for every route and outcome.
 * Objectives stand on one of them, so that the share below it is exact.
 */
export const latencyBuckets: readonly number[] = [
  ...[0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15],
  ...[0.25, 0.3, 0.5, 0.7, 1, 1.5, 2.5, 5],
];

/** For what is part of an answer: looked at as a whole, not quantile by quantile. */
export const partLatencyBuckets: readonly number[] = [
  0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5,
];
