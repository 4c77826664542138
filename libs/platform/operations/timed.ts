import type { Histogram } from 'prom-client';

/** Runs it and observes how long that took, in seconds, however it ended. */
export async function timed<T, Label extends string>(
  histogram: Histogram<Label>,
  labels: Partial<Record<Label, string>>,
  run: () => Promise<T>,
): Promise<T> {
  const startedAt = performance.now();
  try {
    return await run();
  } finally {
    histogram.observe(labels, (performance.now() - startedAt) / 1000);
  }
}
