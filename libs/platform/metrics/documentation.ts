import type { Metrics } from './metrics.js';

interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly labelNames: readonly string[];
  readonly aggregator: string;
}

/** Our metrics as a Markdown table, out of what they say of themselves. */
export function describeMetrics({ registry, nodeMetrics }: Metrics): string {
  const metrics = (registry.getMetricsAsArray() as unknown as readonly Metric[])
    .filter(({ name }) => !nodeMetrics.has(name))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const rows = metrics.map(
    (metric) =>
      `| \`${metric.name}\` | ${metric.type} | ${metric.labelNames.map((name) => `\`${name}\``).join(', ') || '—'} ` +
      `| ${metric.help} | ${aggregationOf(metric)} |`,
  );
  return [
    '| metric | type | labels | what it tells | over all processes |',
    '|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

function aggregationOf({ type, aggregator }: Metric): string {
  if (type === 'counter') return '`sum(rate(…[5m]))`';
  if (type === 'histogram') return '`sum by (le) (rate(…_bucket[5m]))`';
  return `\`${aggregator === 'average' ? 'avg' : aggregator}\``;
}
