import { writeFile } from 'node:fs/promises';
import type { PrometheusClient } from '../../support/prometheus-client.js';
import type { Span } from './check.js';
import { panelsOf, type Dashboard } from './dashboards.js';
import { needsCluster } from './cluster.js';
import { fillIn, fillVariables, stepSeconds } from './variables.js';

/** Writes the data of a dashboard's panels to a file, from which pictures are drawn: `{ start, end, step, panels: [{ title, type, unit, series: [{ legend, labels, values: [[t, v]] }] }] }`. */
export async function saveFigures(
  prometheus: PrometheusClient,
  dashboard: Dashboard,
  { start, end }: Span,
  file: string,
): Promise<void> {
  const { values } = await fillVariables(prometheus, dashboard);
  const panels = [];
  for (const { title = '', type, targets = [], fieldConfig } of panelsOf(dashboard)) {
    const series = [];
    for (const { expr = '', legendFormat = '' } of targets) {
      if (needsCluster({ expr })) continue;
      for (const found of await prometheus.range(fillIn(expr, values), start, end, stepSeconds)) {
        const legend = legendFormat.replaceAll(
          /\{\{\s*(\w+)\s*\}\}/g,
          (_, label: string) => found.metric[label] ?? '',
        );
        series.push({
          legend,
          labels: found.metric,
          values: found.values.map(([time, value]) => [
            time,
            Number.isFinite(Number(value)) ? Number(value) : null,
          ]),
        });
      }
    }
    if (series.length > 0) panels.push({ title, type, unit: fieldConfig?.defaults?.unit ?? '', series });
  }
  await writeFile(file, `${JSON.stringify({ start, end, step: stepSeconds, panels })}\n`);
}
