import { readdirSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { chart, manifests, refusal, type Rendering } from './chart.js';
import { ofKind, theOne, type Manifest } from './manifest.js';

const monitored: Rendering = { files: ['ci/monitored-values.yaml'] };
const runbooksAt = (url: string) => manifests({ ...monitored, set: { 'monitoring.runbooksUrl': url } });

interface Rule {
  readonly alert?: string;
  readonly expr: string;
  readonly annotations?: { readonly runbook_url?: string };
}

function rulesOf(all: readonly Manifest[]): readonly Rule[] {
  const { spec } = theOne(all, 'PrometheusRule') as unknown as {
    spec: { groups: { rules: Rule[] }[] };
  };
  return spec.groups.flatMap(({ rules }) => rules);
}

const dashboardsOf = (all: readonly Manifest[]): Manifest[] =>
  ofKind(all, 'ConfigMap').filter(({ metadata }) => metadata.labels?.['grafana_dashboard'] === '1');

describe('the PrometheusRule', () => {
  it('covers only this release in this namespace', () => {
    const rules = rulesOf(manifests(monitored));
    expect(rules.length).toBeGreaterThan(20);
    expect(JSON.stringify(rules)).not.toMatch(/__[A-Z]+__/);
    for (const { alert, expr } of rules.filter(({ alert }) => alert !== undefined)) {
      const selectors = expr.match(/\w\{[^}]*\}/g) ?? [];
      expect([alert, selectors.length]).not.toEqual([alert, 0]);
      for (const selector of selectors)
        expect([alert, selector]).toEqual([alert, expect.stringContaining('namespace="shop",')]);
      expect([alert, expr]).toEqual([alert, expect.stringContaining('tasks-task-api')]);
    }
  });

  it('links each alert to its runbook, at the configured address', () => {
    const linksOf = (all: readonly Manifest[]) =>
      rulesOf(all)
        .filter(({ alert }) => alert !== undefined)
        .map(({ annotations }) => annotations?.runbook_url ?? 'none');
    for (const link of linksOf(manifests(monitored))) expect(link).toMatch(/^docs\/runbooks\/[a-z-]+\.md$/);
    for (const link of linksOf(runbooksAt('https://git.example.com/runbooks/')))
      expect(link).toMatch(/^https:\/\/git\.example\.com\/runbooks\/[a-z-]+\.md$/);
  });
});

describe('the dashboards', () => {
  const files = readdirSync(`${chart}/files/dashboards`);

  it('are one ConfigMap each for the sidecar, with JSON far below the size limit', () => {
    const maps = dashboardsOf(manifests(monitored));
    expect(maps.map(({ data = {} }) => Object.keys(data))).toEqual(files.map((file) => [`task-api-${file}`]));
    for (const { data = {} } of maps)
      for (const text of Object.values(data)) {
        expect(text.length).toBeLessThan(200_000);
        expect(text).not.toMatch(/__[A-Z]+__/);
        expect(JSON.parse(text)).toMatchObject({ uid: expect.stringMatching(/^task-api-[a-z]+$/) });
      }
  });

  it('link to the runbooks at the configured address', () => {
    const valuesOf = (all: readonly Manifest[]) =>
      dashboardsOf(all)
        .flatMap(({ data = {} }) => Object.values(data))
        .map((text) => JSON.parse(text) as Dashboard)
        .map(({ templating }) => templating.list.find(({ name }) => name === 'runbooks')?.current?.value);
    expect(new Set(valuesOf(manifests(monitored)))).toEqual(new Set(['docs/runbooks']));
    expect(new Set(valuesOf(runbooksAt('https://git.example.com/runbooks/')))).toEqual(
      new Set(['https://git.example.com/runbooks']),
    );
    expect(refusal({ ...monitored, set: { 'monitoring.runbooksUrl': 'a "quote"' } })).toContain(
      'runbooksUrl',
    );
  });

  it('are put into the folder that an annotation names', () => {
    const set = { 'monitoring.dashboards.annotations': { grafana_folder: 'Tasks' } };
    for (const { metadata } of dashboardsOf(manifests({ ...monitored, set })))
      expect(metadata.annotations).toEqual({ grafana_folder: 'Tasks' });
  });
});

interface Dashboard {
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly current?: { readonly value: unknown } }[];
  };
}

it('each ServiceMonitor gives its series the job label that rules and dashboards use', () => {
  const monitors = ofKind(manifests(monitored), 'ServiceMonitor') as unknown as readonly Monitor[];
  const jobs = monitors.flatMap(({ spec }) =>
    spec.endpoints.map(
      ({ relabelings }) => relabelings.find(({ targetLabel }) => targetLabel === 'job')?.replacement,
    ),
  );
  expect(new Set(jobs)).toEqual(
    new Set(['tasks-task-api', 'tasks-task-api-postgres', 'tasks-task-api-redis']),
  );
});

interface Monitor {
  readonly spec: {
    readonly endpoints: readonly {
      readonly relabelings: readonly { readonly targetLabel: string; readonly replacement: string }[];
    }[];
  };
}
