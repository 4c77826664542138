import type { PrometheusClient } from '../../support/prometheus-client.js';
import { scrapeIntervalSeconds } from '../../support/prometheus.js';
import { variablesOf, type Dashboard, type Variable } from './dashboards.js';

/** Values of variables, as they appear in queries. */
export type Values = ReadonlyMap<string, string>;

/** Built-in variables of a Grafana whose data source has a scrape interval of 15 s, with a time range of an hour. */
const builtIn: readonly (readonly [string, string])[] = [
  ['__interval', '15s'],
  ['__interval_ms', '15000'],
  ['__rate_interval', '60s'],
  ['__range', '1h'],
  ['__range_s', '3600'],
  ['__range_ms', '3600000'],
];

/** A variable with a query, and its results. */
export interface Filled {
  readonly name: string;
  /** The query with the previous variables filled in. */
  readonly query: string;
  readonly values: readonly string[];
}

/** Fills in the variables one after the other, because a query may use the previous ones; with the first value, or with all. */
export async function fillVariables(
  prometheus: PrometheusClient,
  dashboard: Dashboard,
): Promise<{ readonly values: Values; readonly filled: readonly Filled[] }> {
  const values = new Map(builtIn);
  const filled: Filled[] = [];
  for (const variable of variablesOf(dashboard)) {
    if (variable.type !== 'query') {
      values.set(variable.name, queryOf(variable));
      continue;
    }
    const query = fillIn(queryOf(variable), values);
    const found = await ask(prometheus, query);
    filled.push({ name: variable.name, query, values: found });
    values.set(variable.name, chosen(variable, found));
  }
  return { values, filled };
}

export function fillIn(text: string, values: Values): string {
  return text.replaceAll(/\$(?:(\w+)|\{(\w+)(?::\w+)?\})/g, (whole, plain?: string, braced?: string) => {
    const name = plain ?? braced ?? '';
    // `$1` is a group of label_replace.
    if (/^\d/.test(name)) return whole;
    const value = values.get(name);
    if (value === undefined) throw new Error(`There is no variable ${name}: ${text}`);
    return value;
  });
}

const queryOf = ({ query = '' }: Variable): string =>
  typeof query === 'string' ? query : (query.query ?? '');

/** Runs `label_values(selector, label)`, the only kind of query in use. */
async function ask(prometheus: PrometheusClient, query: string): Promise<readonly string[]> {
  const [, selector, label] = /^label_values\((.*),\s*(\w+)\)$/s.exec(query) ?? [];
  if (selector === undefined || label === undefined) throw new Error(`Unknown kind of query: ${query}`);
  return prometheus.labelValues(label, selector);
}

/** Formats values as Grafana does: several values become a regular expression. */
function chosen({ multi = false, includeAll = false, allValue }: Variable, found: readonly string[]): string {
  if (!multi && !includeAll) return found[0] ?? '';
  if (includeAll && typeof allValue === 'string' && allValue !== '') return allValue;
  return `(${found.map((value) => value.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\\$&`)).join('|')})`;
}

/** The step of a chart of a few minutes. */
export const stepSeconds = 5 * scrapeIntervalSeconds;
