import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import type { Comparison } from './summary.js';

/** Requests a second of each server and workload, as an SVG. */
export function chartOf(comparisons: readonly Comparison[]): Promise<string> {
  const values = comparisons.flatMap(({ workload, summaries }) =>
    summaries.map(({ server, perSecond }) => ({ workload: workload.name, server, perSecond })),
  );
  const order = comparisons.map(({ workload }) => workload.name);
  const spec: TopLevelSpec = {
    ...{ width: 640, height: { step: 14 }, background: 'white', config: { font: 'sans-serif' } },
    data: { values },
    mark: 'bar',
    encoding: {
      x: { field: 'perSecond', type: 'quantitative', title: 'requests a second' },
      y: { field: 'workload', type: 'nominal', sort: order, title: null },
      yOffset: { field: 'server' },
      color: { field: 'server', type: 'nominal', title: null },
    },
  };
  return new View(parse(compile(spec).spec), { renderer: 'none' }).toSVG();
}
