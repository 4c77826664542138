import type { HistogramSeries } from './series.js';

/** Runs it and observes how long that took, in seconds, however it ended; `onError` is told how it failed. */
export async function timed<T>(
  series: HistogramSeries,
  run: () => Promise<T>,
  onError?: (error: unknown) => void,
): Promise<T> {
  const startedAt = performance.now();
  try {
    return await run();
  } catch (error) {
    onError?.(error);
    throw error;
  } finally {
    series.observe((performance.now() - startedAt) / 1000);
  }
}
