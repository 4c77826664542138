import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  AnnotationQueryBuilder,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  TextBoxVariableBuilder,
  VariableHide,
  VariableRefresh,
  VariableSort,
  type Dashboard,
  type Panel,
  type VariableModel,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { datasource } from './panels.js';
import { count, ofRelease } from './promql.js';

const tag = 'task-api';
/** Where the runbooks are, seen from the repository. The chart puts the address of its values there. */
const runbooks = 'docs/runbooks';

export interface BoardOptions {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** Beside those of all: the ones that its queries know. */
  readonly variables?: readonly ('instance' | 'route')[];
  readonly from?: string;
  readonly sections: readonly { readonly title: string; readonly panels: readonly Builder<Panel>[] }[];
}

/** A dashboard, with what all have in common. */
export function board(options: BoardOptions): Dashboard {
  const { name, title, description, variables = [], from = 'now-1h', sections } = options;
  const builder = new DashboardBuilder(`Task API / ${title}`)
    .uid(`task-api-${name}`)
    .description(description)
    .tags([tag])
    .timezone('browser')
    .tooltip(DashboardCursorSync.Crosshair)
    .time({ from, to: 'now' })
    .refresh('30s')
    .variables([...commonVariables(), ...variables.map((each) => choices[each]())])
    .annotation(deployments())
    .link(
      new DashboardLinkBuilder('Task API')
        .type(DashboardLinkType.Dashboards)
        .tags([tag])
        .asDropdown(true)
        .includeVars(true)
        .keepTime(true),
    );
  for (const section of sections) {
    builder.withRow(new RowBuilder(section.title));
    for (const panel of section.panels) builder.withPanel(panel);
  }
  const dashboard = builder.build();
  // Without one Grafana gives numbers of its own, which links to a panel would not keep.
  dashboard.panels?.forEach((panel, n) => (panel.id = n + 1));
  // The builder's default: they would be behind a menu.
  for (const each of [...(dashboard.links ?? []), ...(dashboard.annotations.list ?? [])])
    delete each.placement;
  return dashboard;
}

function commonVariables(): Builder<VariableModel>[] {
  return [
    new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'),
    queried('namespace', 'Namespace', 'label_values(app_build_info, namespace)'),
    queried('job', 'Release', 'label_values(app_build_info{namespace="$namespace"}, job)'),
    new TextBoxVariableBuilder('runbooks')
      .label('Runbooks')
      .description('Where the runbooks are that panels link to.')
      .defaultValue(runbooks)
      .current({ text: runbooks, value: runbooks })
      .hide(VariableHide.HideVariable),
  ];
}

const choices = {
  instance: () => many('instance', 'Process', `label_values(${ofRelease('app_build_info')}, instance)`),
  route: () => many('route', 'Route', `label_values(${ofRelease('http_server_requests_total')}, http_route)`),
};

const queried = (name: string, label: string, query: string): QueryVariableBuilder =>
  new QueryVariableBuilder(name)
    .label(label)
    .datasource(datasource)
    .query({ query, refId: name })
    .definition(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.NaturalAsc);

/** Any number of values. All is not their list, which may be a long one. */
const many = (name: string, label: string, query: string): QueryVariableBuilder =>
  queried(name, label, query)
    .multi(true)
    .includeAll(true)
    .allValue('.+')
    .current({ text: ['All'], value: ['$__all'] });

/** A version that was not there five minutes ago: `changes()` would not see a series that is new. */
function deployments(): AnnotationQueryBuilder {
  const versions = (offset = '') => count(`${ofRelease('app_build_info')}${offset}`, 'version', 'commit');
  return new AnnotationQueryBuilder()
    .name('Deployments')
    .datasource(datasource)
    .enable(true)
    .iconColor('blue')
    .expr(`${versions()} unless ${versions(' offset 5m')}`)
    .step('60s')
    .titleFormat('{{version}}')
    .textFormat('{{version}} ({{commit}})')
    .tagKeys('version,commit');
}
