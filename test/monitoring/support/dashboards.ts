import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The parts of a dashboard file that the tests use. */
export interface Dashboard {
  readonly title: string;
  readonly panels: readonly Panel[];
  readonly templating?: { readonly list?: readonly Variable[] };
  readonly annotations?: { readonly list?: readonly Annotation[] };
}

export interface Panel {
  readonly type: string;
  readonly title?: string;
  readonly targets?: readonly Target[];
  readonly fieldConfig?: { readonly defaults?: { readonly unit?: string } };
  /** The panels of a row. */
  readonly panels?: readonly Panel[];
}

interface Target {
  readonly refId: string;
  readonly expr?: string;
  readonly legendFormat?: string;
  readonly exemplar?: boolean;
}

export interface Variable {
  readonly name: string;
  readonly type: string;
  readonly query?: string | { readonly query?: string };
  readonly multi?: boolean;
  readonly includeAll?: boolean;
  readonly allValue?: string | null;
}

interface Annotation {
  readonly name: string;
  readonly type?: string;
  readonly expr?: string;
  readonly target?: { readonly expr?: string };
  readonly titleFormat?: string;
  readonly textFormat?: string;
}

/** One query as it is in the dashboard. */
export interface Query {
  /** Panel and query, such as `Latency (A)`. */
  readonly name: string;
  readonly expr: string;
  /** Labels that the legend uses. */
  readonly labels: readonly string[];
}

const folder = join(import.meta.dirname, '..', '..', '..', 'helm', 'task-api', 'files', 'dashboards');

/** All shipped dashboards, by file name. */
export const dashboards: ReadonlyMap<string, Dashboard> = new Map(
  readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => [
      name.replace('.json', ''),
      JSON.parse(readFileSync(join(folder, name), 'utf8')) as Dashboard,
    ]),
);

export function dashboardNamed(name: string): Dashboard {
  const dashboard = dashboards.get(name);
  if (dashboard === undefined) throw new Error(`There is no dashboard ${name}.`);
  return dashboard;
}

/** All panels, including those in rows. */
export const panelsOf = ({ panels }: Pick<Dashboard, 'panels'>): readonly Panel[] =>
  panels.flatMap((panel) => [panel, ...panelsOf({ panels: panel.panels ?? [] })]);

export const panelQueries = (dashboard: Dashboard): readonly Query[] =>
  panelsOf(dashboard).flatMap(queriesOf);

export const queriesOf = ({ title = '', targets = [] }: Panel): readonly Query[] =>
  targets.map(({ refId, expr = '', legendFormat = '' }) => ({
    name: `${title} (${refId})`,
    expr,
    labels: labelsIn(legendFormat),
  }));

/** All annotations except Grafana's built-in one, which uses no data source. */
export const annotationQueries = ({ annotations }: Dashboard): readonly Query[] =>
  (annotations?.list ?? [])
    .filter(({ type }) => type !== 'dashboard')
    .map(({ name, expr, target, titleFormat = '', textFormat = '' }) => ({
      name: `annotation ${name}`,
      expr: expr ?? target?.expr ?? '',
      labels: labelsIn(titleFormat + textFormat),
    }));

export const variablesOf = ({ templating }: Dashboard): readonly Variable[] => templating?.list ?? [];

const labelsIn = (format: string): readonly string[] =>
  [...format.matchAll(/\{\{\s*(\w+)\s*\}\}/g)].map(([, label = '']) => label);
