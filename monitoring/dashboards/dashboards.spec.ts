import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Panel, RowPanel, VariableModel } from '@grafana/grafana-foundation-sdk/dashboard';
import { dashboards } from './index.js';

const all = Object.entries(dashboards);
const panelsOf = (name: string): Panel[] =>
  (dashboards[name]?.panels ?? []).filter((panel): panel is Panel => panel.type !== 'row');
const targetsOf = ({ targets = [] }: Panel) => targets as unknown as readonly Target[];
const variablesOf = (name: string): VariableModel[] => dashboards[name]?.templating.list ?? [];

interface Target {
  readonly refId: string;
  readonly expr: string;
  readonly legendFormat?: string;
  readonly exemplar?: boolean;
}

describe('the dashboards', () => {
  it('are the seven that operators need, each with its own uid', () => {
    const names = ['business', 'cache', 'database', 'kubernetes', 'overview', 'runtime', 'slo'];
    expect(Object.keys(dashboards).sort()).toEqual(names);
    expect(all.map(([, { uid }]) => uid).sort()).toEqual(names.map((name) => `task-api-${name}`));
  });
});

describe.each(all)('the dashboard %s', (name, dashboard) => {
  const panels = panelsOf(name);

  it('is smaller than 200 KB', () => {
    expect(JSON.stringify(dashboard, null, 1).length).toBeLessThan(200_000);
  });

  it('describes each panel, and gives it a unit and queries of the selected data source', () => {
    expect(panels.length).toBeGreaterThan(5);
    for (const panel of panels) {
      expect([panel.title, panel.description?.length]).toEqual([panel.title, expect.any(Number)]);
      expect([panel.title, panel.fieldConfig?.defaults.unit]).toEqual([panel.title, expect.any(String)]);
      expect([panel.title, panel.datasource?.uid]).toEqual([panel.title, '${datasource}']);
      const targets = targetsOf(panel);
      expect([panel.title, targets.length]).not.toEqual([panel.title, 0]);
      for (const { expr, legendFormat } of targets)
        expect([panel.title, expr, legendFormat]).toEqual([
          panel.title,
          expect.stringContaining('{namespace="$namespace",'),
          expect.stringMatching(/./),
        ]);
      expect([panel.title, new Set(targets.map(({ refId }) => refId)).size]).toEqual([
        panel.title,
        targets.length,
      ]);
    }
  });

  it('has exactly the variables that its queries use', () => {
    const queried = JSON.stringify([panels, dashboard.annotations, variablesOf(name)]);
    const used = new Set([...queried.matchAll(/\$\{?([a-z]+)\}?/g)].map(([, variable]) => variable));
    expect([...used].sort()).toEqual(
      variablesOf(name)
        .map((variable) => variable.name)
        .sort(),
    );
    expect([...used]).toEqual(expect.arrayContaining(['datasource', 'namespace', 'job', 'runbooks']));
  });

  it('has a unique title for each panel', () => {
    const titles = panels.map(({ title }) => title);
    expect([...new Set(titles)]).toEqual(titles);
  });

  it('links to existing runbooks', () => {
    const links = panels.flatMap((panel) => panel.links ?? []).map(({ url = '' }) => url);
    expect(links.length).toBeGreaterThan(1);
    const root = join(import.meta.dirname, '..', '..');
    const files = links.map((url) => url.replace('${runbooks}', 'docs/runbooks'));
    expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([]);
  });

  it('shows deployments as annotations', () => {
    expect(dashboard.annotations.list?.map(({ expr }) => expr)).toEqual([
      expect.stringContaining('unless count by (version, commit) (app_build_info{'),
    ]);
  });

  it('fills whole rows, without overlaps', () => {
    const cells = new Map<string, string>();
    for (const { title = '', gridPos } of dashboard.panels as (Panel | RowPanel)[]) {
      const { x = 0, y = 0, w = 0, h = 0 } = gridPos ?? {};
      expect([title, x + w <= 24]).toEqual([title, true]);
      for (let column = x; column < x + w; column++)
        for (let line = y; line < y + h; line++) {
          expect([title, cells.get(`${column} ${line}`)]).toEqual([title, undefined]);
          cells.set(`${column} ${line}`, title);
        }
    }
    const height = Math.max(...[...cells.keys()].map((cell) => Number(cell.split(' ')[1]) + 1));
    expect(cells.size).toBe(24 * height);
  });
});

it('queries of request latency have exemplars, except those of single values', () => {
  const latencies = panelsOf('overview').filter(
    (panel) =>
      ['timeseries', 'heatmap'].includes(panel.type) &&
      targetsOf(panel).some(({ expr }) => expr.includes('http_server_request_duration_seconds_bucket')),
  );
  expect(latencies).toHaveLength(5);
  for (const panel of latencies)
    for (const { exemplar } of targetsOf(panel)) expect([panel.title, exemplar]).toEqual([panel.title, true]);
});
