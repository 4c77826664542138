import {
  BigValueColorMode,
  BigValueGraphMode,
  BigValueTextMode,
  GraphThresholdsStyleConfigBuilder,
  GraphThresholdsStyleMode,
  HeatmapCellLayout,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  DashboardLinkBuilder,
  DashboardLinkType,
  FieldColorBuilder,
  FieldColorModeId,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type Panel,
} from '@grafana/grafana-foundation-sdk/dashboard';
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  HeatmapColorMode,
  HeatmapColorOptionsBuilder,
  PanelBuilder as HeatmapBuilder,
  RowsHeatmapOptionsBuilder,
  YAxisConfigBuilder,
} from '@grafana/grafana-foundation-sdk/heatmap';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import type { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as GraphBuilder } from '@grafana/grafana-foundation-sdk/timeseries';

/** The data source that the variable `datasource` selects. */
export const datasource = { type: 'prometheus', uid: '${datasource}' };

export interface Query {
  readonly expr: string;
  readonly legend: string;
  /** With exemplars: traces of single requests that were sampled. */
  readonly exemplar?: true;
}

/** Thresholds from which a value is a warning or bad. */
export type Threshold = readonly [from: number, color: 'green' | 'orange' | 'red'];

export interface PanelOptions {
  readonly title: string;
  /** What it shows and what it means, for somebody who has just been woken up. */
  readonly description: string;
  readonly unit: string;
  readonly queries: readonly Query[];
  /** Width in columns, of 24. */
  readonly width: number;
  readonly height?: number;
  readonly max?: number;
  readonly decimals?: number;
  readonly thresholds?: readonly Threshold[];
  /** The color below the first threshold. */
  readonly base?: 'green' | 'red' | 'text';
  /** Runbooks: files of docs/runbooks. */
  readonly runbooks?: readonly string[];
}

type AnyBuilder = GraphBuilder | StatBuilder | HeatmapBuilder | TableBuilder;

const runbookLinks = (runbooks: readonly string[]): DashboardLinkBuilder[] =>
  runbooks.map((name) =>
    new DashboardLinkBuilder(`Runbook: ${name.replaceAll('-', ' ')}`)
      .type(DashboardLinkType.Link)
      .url(`\${runbooks}/${name}.md`)
      .targetBlank(true),
  );

export const queryOf = ({ expr, legend, exemplar }: Query, n: number): DataqueryBuilder => {
  const query = new DataqueryBuilder()
    .refId(String.fromCharCode('A'.charCodeAt(0) + n))
    .expr(expr)
    .legendFormat(legend);
  return exemplar === true ? query.exemplar(true) : query;
};

export const thresholdsOf = (steps: readonly Threshold[], base = 'green'): ThresholdsConfigBuilder =>
  new ThresholdsConfigBuilder()
    .mode(ThresholdsMode.Absolute)
    .steps([{ value: null, color: base }, ...steps.map(([value, color]) => ({ value, color }))]);

/** Properties of every panel. */
export function common<B extends AnyBuilder>(builder: B, options: PanelOptions): B {
  const {
    title,
    description,
    unit,
    queries,
    width,
    height = 8,
    decimals,
    thresholds,
    base,
    runbooks,
  } = options;
  builder
    .title(title)
    .description(description)
    .datasource(datasource)
    .unit(unit)
    .span(width)
    .height(height)
    .targets(queries.map((query, n) => queryOf(query, n)));
  if (decimals !== undefined) builder.decimals(decimals);
  if (thresholds !== undefined) builder.thresholds(thresholdsOf(thresholds, base));
  if (runbooks !== undefined) builder.links(runbookLinks(runbooks));
  return builder;
}

export interface GraphOptions extends PanelOptions {
  readonly isStacked?: boolean;
  /** For many series: shows the maximum and the last value beside each name, in descending order. */
  readonly isTabled?: boolean;
}

/** Values over time. All axes begin at zero, so that small changes do not look large. */
export function graph(options: GraphOptions): Builder<Panel> {
  const { thresholds, isStacked = false, isTabled = false, max } = options;
  const legend = new VizLegendOptionsBuilder()
    .showLegend(true)
    .placement(LegendPlacement.Bottom)
    .displayMode(isTabled ? LegendDisplayMode.Table : LegendDisplayMode.List);
  if (isTabled) legend.calcs(['lastNotNull', 'max']).sortBy('Max').sortDesc(true);
  const builder = common(new GraphBuilder(), options)
    .min(0)
    .lineWidth(1)
    .fillOpacity(isStacked ? 30 : 5)
    .showPoints(VisibilityMode.Never)
    .legend(legend)
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending));
  if (max !== undefined) builder.max(max);
  if (isStacked) builder.stacking(new StackingConfigBuilder().mode(StackingMode.Normal));
  if (thresholds !== undefined)
    builder.thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed));
  return builder;
}

export interface StatOptions extends PanelOptions {
  /** The displayed text, if the value alone is not clear. */
  readonly shown?: 'name' | 'value_and_name';
}

const textModes = {
  name: BigValueTextMode.Name,
  value_and_name: BigValueTextMode.ValueAndName,
  auto: BigValueTextMode.Auto,
};

/** The latest value, with its history in the background. */
export function stat(options: StatOptions): Builder<Panel> {
  const { shown, thresholds } = options;
  const base = thresholds === undefined ? 'text' : 'green';
  return common(new StatBuilder(), { height: 4, thresholds: [], base, ...options })
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds))
    .colorMode(BigValueColorMode.Value)
    .graphMode(shown === undefined ? BigValueGraphMode.Area : BigValueGraphMode.None)
    .textMode(textModes[shown ?? 'auto'])
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']));
}

/** The buckets of a histogram over time; darker means more. */
export function heatmap(options: PanelOptions): Builder<Panel> {
  const builder = common(new HeatmapBuilder(), { ...options, queries: [] });
  const { unit, queries } = options;
  return builder
    .targets(queries.map((query, n) => queryOf(query, n).format(PromQueryFormat.Heatmap)))
    .color(new HeatmapColorOptionsBuilder().mode(HeatmapColorMode.Scheme).scheme('Oranges').steps(64))
    .rowsFrame(new RowsHeatmapOptionsBuilder().layout(HeatmapCellLayout.Auto))
    .yAxis(new YAxisConfigBuilder().unit(unit))
    .showLegend();
}
