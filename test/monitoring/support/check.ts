import type { PrometheusClient, Series } from '../../support/prometheus-client.js';
import type { Query } from './dashboards.js';
import { selectorsOf } from './selectors.js';
import { stepSeconds } from './variables.js';

/** The time range of the check, in seconds of Unix time. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * Lists what is wrong with a query whose variables are filled in. The query must return at least one series now and in the
 * span, only finite values now, at least one finite value in each series of the span, and the labels of its legend. Each of its
 * selectors must match a series, so that `or vector(0)` hides no missing one.
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
      // Includes the end.
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

/** The selectors that matched nothing in the span. */
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
