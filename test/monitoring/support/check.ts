import type { PrometheusClient, Series } from '../../support/prometheus-client.js';
import type { Query } from './dashboards.js';
import { selectorsOf } from './selectors.js';
import { stepSeconds } from './variables.js';

/** The time that is looked at, in seconds of Unix time. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * What is wrong with a query whose variables are filled in: nothing, or each complaint. It must give at least one series now
 * and in the span, finite values alone now and at least one in each series of the span, and the labels that its legend names;
 * each of its selectors must match a series, so that `or vector(0)` hides none that is gone.
 */
export async function problemsOf(
  prometheus: PrometheusClient,
  { name, expr, labels }: Query,
  { start, end }: Span,
): Promise<readonly string[]> {
  const complain = (what: string): string => `${name}: ${what}: ${expr}`;
  try {
    const [now, over, missing] = await Promise.all([
      prometheus.query(expr, end),
      // Up to the end itself.
      prometheus.range(expr, end - Math.floor((end - start) / stepSeconds) * stepSeconds, end, stepSeconds),
      missingSelectors(prometheus, selectorsOf(expr), { start, end }),
    ]);
    return [
      ...(now.length === 0 ? ['no series now'] : []),
      ...(over.length === 0 ? ['no series in the span'] : []),
      ...missing.map((selector) => `nothing matches ${selector}`),
      ...now
        .filter((series) => !series.values.every(hasValue))
        .map(({ metric }) => `not finite now: ${tell(metric)}`),
      ...over
        .filter((series) => !series.values.some(hasValue))
        .map(({ metric }) => `never finite: ${tell(metric)}`),
      ...labels
        .filter((label) => now.some(({ metric }) => (metric[label] ?? '') === ''))
        .map((label) => `no label ${label} for the legend`),
    ].map(complain);
  } catch (error) {
    return [complain(String(error))];
  }
}

/** Those of the selectors that have matched nothing in that span. */
export async function missingSelectors(
  prometheus: PrometheusClient,
  selectors: readonly string[],
  { start, end }: Span,
): Promise<readonly string[]> {
  const unique = [...new Set(selectors)];
  const found = await Promise.all(unique.map((selector) => prometheus.series(selector, start, end)));
  return unique.filter((_, n) => found[n]?.length === 0);
}

const hasValue = ([, value]: Series['values'][number]): boolean => Number.isFinite(Number(value));
const tell = (metric: Series['metric']): string => JSON.stringify(metric);
