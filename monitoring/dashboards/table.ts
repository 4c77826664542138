import { TableSortByFieldStateBuilder } from '@grafana/grafana-foundation-sdk/common';
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/table';
import { common, queryOf, type PanelOptions } from './panels.js';

export interface TableOptions extends Omit<PanelOptions, 'queries'> {
  /** Labels of the series and the titles of their columns, which come first. */
  readonly rows: Readonly<Record<string, string>>;
  readonly columns: readonly { readonly name: string; readonly unit: string; readonly expr: string }[];
  readonly sortedBy: string;
}

/** One row per series, with the latest value of each query. */
export function table(options: TableOptions): Builder<Panel> {
  const { rows, columns, sortedBy } = options;
  const valueOf = (n: number) => `Value #${String.fromCharCode('A'.charCodeAt(0) + n)}`;
  const names = { ...rows, ...Object.fromEntries(columns.map(({ name }, n) => [valueOf(n), name])) };
  const legend = Object.keys(rows)
    .map((label) => `{{${label}}}`)
    .join(' ');
  const builder = common(new PanelBuilder(), { height: 10, ...options, queries: [] })
    .targets(
      columns.map(({ expr }, n) => queryOf({ expr, legend }, n).instant().format(PromQueryFormat.Table)),
    )
    .withTransformation({ id: 'merge', options: {} })
    .withTransformation({
      id: 'organize',
      options: {
        excludeByName: { Time: true },
        indexByName: Object.fromEntries(Object.keys(names).map((name, n) => [name, n])),
        renameByName: names,
      },
    })
    .sortBy([new TableSortByFieldStateBuilder().displayName(sortedBy).desc(true)]);
  for (const each of columns) builder.overrideByName(each.name, [{ id: 'unit', value: each.unit }]);
  return builder;
}
