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

/** What the variable of that name chose. */
export const datasource = { type: 'prometheus', uid: '${datasource}' };

export interface Query {
  readonly expr: string;
  readonly legend: string;
  /** With traces of single requests, where they were sampled. */
  readonly exemplar?: true;
}

/** From a value on: bad, or on the way there. */
export type Threshold = readonly [from: number, color: 'green' | 'orange' | 'red'];

export interface PanelOptions {
  readonly title: string;
  /** What it shows and what to think of it, for somebody who has just been woken up. */
  readonly description: string;
  readonly unit: string;
  readonly queries: readonly Query[];
  /** Of 24. */
  readonly width: number;
  readonly height?: number;
  readonly max?: number;
  readonly decimals?: number;
  readonly thresholds?: readonly Threshold[];
  /** The color below the first threshold. */
  readonly base?: 'green' | 'red' | 'text';
  /** What to do about it: files of docs/runbooks. */
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

/** What every panel has. */
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
  /** With greatest and last values beside the names, the greatest first: for what has many series. */
  readonly isTabled?: boolean;
}

/** Values over time. All begin at zero: a curve that looks like a mountain is one. */
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
  /** What is shown, where the value alone does not tell. */
  readonly shown?: 'name' | 'value_and_name';
}

const textModes = {
  name: BigValueTextMode.Name,
  value_and_name: BigValueTextMode.ValueAndName,
  auto: BigValueTextMode.Auto,
};

/** The latest value, and its course behind it. */
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

/** The buckets of a histogram over time: the darker, the more. */
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
