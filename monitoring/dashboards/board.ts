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
/** The address of the runbooks in the repository. The chart replaces it by the one of its values. */
const runbooks = 'docs/runbooks';

export interface BoardOptions {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** Variables of its queries, besides the common ones. */
  readonly variables?: readonly ('instance' | 'route')[];
  readonly from?: string;
  readonly sections: readonly { readonly title: string; readonly panels: readonly Builder<Panel>[] }[];
}

/** A dashboard with the parts that all share. */
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
  // Without an id, Grafana assigns numbers that change, which would break links to a panel.
  dashboard.panels?.forEach((panel, n) => (panel.id = n + 1));
  // With the builder's default, they would be hidden in a menu.
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

/** Allows any number of values. "All" is a pattern, not the list of values, which may be long. */
const many = (name: string, label: string, query: string): QueryVariableBuilder =>
  queried(name, label, query)
    .multi(true)
    .includeAll(true)
    .allValue('.+')
    .current({ text: ['All'], value: ['$__all'] });

/** A version that did not exist five minutes ago; `changes()` would not detect a new series. */
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
