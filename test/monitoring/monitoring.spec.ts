import { onSchedule, steadily } from '../../load/support/load.js';
import { waitFor } from '../support/wait.js';
import { now, untilFiring, untilResolved, valuesIn } from './support/alert-watch.js';
import { missingSelectors, problemsOf, type Span } from './support/check.js';
import { clusterFaults } from './support/cluster-faults.js';
import { clusterNamespace, startWatchedCluster, type WatchedCluster } from './support/cluster-release.js';
import { isOfCluster, isWithoutCluster, needsCluster } from './support/cluster.js';
import {
  annotationQueries,
  dashboardNamed,
  dashboards,
  panelQueries,
  panelsOf,
  queriesOf,
  type Query,
} from './support/dashboards.js';
import {
  budgetFaults,
  deployment,
  disappearance,
  harmlessFaults,
  outage,
  usualRate,
  type Fault,
} from './support/faults.js';
import { saveFigures } from './support/figures.js';
import { compare, quantiles, table } from './support/latency.js';
import { causeOutcomes } from './support/outcomes.js';
import { alerts, recordings } from './support/rules.js';
import { metricOf, selectorsOf } from './support/selectors.js';
import { firstVersion, startStage, type Stage } from './support/stage.js';
import { Traffic } from './support/traffic.js';
import { fillIn, fillVariables, type Values } from './support/variables.js';

const nextVersion = '1.1.0';
/** The kubelet measures a volume once a minute. */
const firingTimeoutMs = 120_000;
const resolvedTimeoutMs = 420_000;

/** Renamed metrics of the second Prometheus. */
const renamed = {
  http_server_requests_total: 'http_requests_total',
  db_client_connection_max: 'db_pool_max',
  cache_requests_total: 'cache_lookups_total',
};

let cluster: WatchedCluster | null = null;
let stage: Stage;
let traffic: Traffic;
/** Of what was started. */
let stopStage = (): Promise<void> => Promise.resolve();
let stopTraffic = (): Promise<void> => Promise.resolve();
let beginning: number;
const say = (text: string): void => void process.stderr.write(`${text}\n`);

beforeAll(async () => {
  if (!isWithoutCluster) cluster = await startWatchedCluster();
  const moreTargets =
    cluster === null ? [] : [{ address: `127.0.0.1:${cluster.port}`, labels: { job: 'kube-state-metrics' } }];
  stage = await startStage({ namespace: clusterNamespace.name, moreTargets, renamed });
  stopStage = stage.stop;
  traffic = await Traffic.create(stage);
  stopTraffic = () => traffic.stop();
  beginning = now();
  traffic.resume(usualRate);
}, 300_000);

// Each one separately, so that a failure does not keep the others running.
afterAll(async () => {
  const file = process.env['MONITORING_FIGURES'];
  if (file !== undefined) await saveFigures(stage.prometheus, dashboardNamed('overview'), span(), file);
}, 60_000);
afterAll(() => stopTraffic(), 60_000);
afterAll(() => stopStage(), 60_000);
afterAll(async () => cluster?.stop(), 180_000);

/** All that there has been. */
const span = (): Span => ({ start: beginning, end: now() });

function itTells(fault: Fault, test = it): void {
  const alertsOf = fault.alerts.join(', ');
  test(
    `when ${fault.what}: ${alertsOf}`,
    async () => {
      for (const name of fault.alerts) await untilResolved(stage.prometheus, name, firingTimeoutMs);
      const heal = await fault.inject(stage, traffic);
      try {
        const took = await untilFiring(stage.prometheus, fault.alerts, firingTimeoutMs);
        for (const [name, seconds] of took) say(`${name}: fires after ${seconds.toFixed(1)} s`);
      } catch (error) {
        const rules = alerts.filter(({ alert }) => fault.alerts.includes(alert));
        for (const { alert, expr } of rules) say(`${alert}\n${await valuesIn(stage.prometheus, expr)}`);
        throw error;
      } finally {
        await heal();
      }
    },
    firingTimeoutMs + 60_000,
  );
}

describe('alerts on error budgets fire', () => {
  for (const fault of budgetFaults) itTells(fault);
});

describe('the overview', () => {
  const latency = panelsOf(dashboardNamed('overview')).filter(({ title = '' }) => /latency/i.test(title));

  it('shows the quantiles that the load generator measures', async () => {
    await traffic.pause();
    const samples = await onSchedule(steadily(30, 60), traffic.send);
    const end = now();
    traffic.resume(usualRate);
    const { values } = await fillVariables(stage.prometheus, dashboardNamed('overview'));
    const comparisons = [];
    for (const quantile of quantiles) {
      const query = latency.flatMap(queriesOf).find(({ expr }) => isTotal(expr, quantile));
      if (query === undefined) throw new Error(`No query for the quantile ${quantile} in total.`);
      const [series] = await stage.prometheus.query(fillIn(query.expr, values), end);
      comparisons.push(compare(quantile, Number(series?.values[0]?.[1]), samples));
    }
    say(table(comparisons));
    for (const { bucketsApart } of comparisons) expect(bucketsApart).toBeLessThanOrEqual(3);
  });

  const isTotal = (expr: string, quantile: number): boolean =>
    expr.includes(`histogram_quantile(${quantile},`) && !/by \([^)]*http_route/.test(expr);

  it('has exemplars that link to received traces', async () => {
    const { values } = await fillVariables(stage.prometheus, dashboardNamed('overview'));
    const ids = new Set<string>();
    for (const { expr } of latency.flatMap(queriesOf)) {
      const { start, end } = span();
      for (const { exemplars } of await stage.prometheus.exemplars(fillIn(expr, values), start, end)) {
        for (const { labels } of exemplars) ids.add(labels['trace_id'] ?? '');
      }
    }
    expect(ids.size).toBeGreaterThan(10);
    const known = (id: string): boolean => stage.traces.spans.some(({ traceId }) => traceId === id);
    await waitFor(() => [...ids].every(known), { what: 'the spans of all exemplars' });
  });
});

describe('a deployment', () => {
  itTells(deployment(nextVersion));

  it('runs, with traffic of every kind of outcome', async () => {
    const seen = await causeOutcomes(stage);
    for (const status of [200, 201, 204, 304, 401, 404, 412, 422, 429]) expect(seen).toContain(status);
  });
});

// Before the dashboards are tested, one of which shows killed pods.
describe('alerts on the cluster fire', () => {
  for (const fault of clusterFaults) itTells(fault, isWithoutCluster ? it.skip : it);
});

describe.each([...dashboards])('dashboard %s', (name, dashboard) => {
  let values: Values;
  let unanswered: readonly string[];
  beforeAll(async () => {
    const result = await fillVariables(stage.prometheus, dashboard);
    values = result.values;
    unanswered = result.filled.filter((each) => each.values.length === 0).map((each) => each.query);
  });
  const filledIn = (query: Query): Query => ({ ...query, expr: fillIn(query.expr, values) });
  const check = async (queries: readonly Query[]): Promise<readonly string[]> => {
    const problems = [];
    for (const query of queries)
      problems.push(...(await problemsOf(stage.prometheus, filledIn(query), span())));
    return problems;
  };
  const own = panelQueries(dashboard).filter((query) => !needsCluster(query));
  const ofCluster = panelQueries(dashboard).filter(needsCluster);

  it(`has results for each query of its variables`, () => {
    expect(unanswered).toEqual([]);
  });

  if (own.length > 0) {
    it(`has results for each of its ${own.length} queries of the service`, async () => {
      expect(await check(own)).toEqual([]);
    });
    it('lacks results in just the queries that use a metric, if the metric has another name', async () => {
      const found = [];
      for (const query of own) {
        if ((await problemsOf(stage.renamed, filledIn(query), span())).length > 0) found.push(query);
      }
      expect(found).toEqual(own.filter(affectedBy(Object.keys(renamed))));
      say(`${name}: ${found.length} of ${own.length} queries miss what was renamed`);
    });
  }

  for (const query of ofCluster) {
    (isWithoutCluster ? it.skip : it)(`answers ${query.name} from the cluster: ${query.expr}`, async () => {
      expect(await check([query])).toEqual([]);
    });
  }

  it('shows deployments of both versions as annotations', async () => {
    const queries = annotationQueries(dashboard);
    expect(queries.length).toBeGreaterThan(0);
    expect(await check(queries)).toEqual([]);
    for (const { expr } of queries) {
      const shown = async () => {
        const { start, end } = span();
        const marks = await stage.prometheus.range(fillIn(expr, values), start, end, 1);
        return new Set(marks.map(({ metric }) => metric['version']));
      };
      // The latest deployment may be younger than the last scrape.
      const areBoth = async () => {
        const versions = await shown();
        return versions.has(firstVersion) && versions.has(nextVersion);
      };
      await waitFor(areBoth, { timeoutMs: 20_000, what: 'the marks of both versions' });
    }
  });
});

/** Whether an expression uses one of the metrics, or a recording rule of them. */
function affectedBy(metrics: readonly string[]): (query: { readonly expr: string }) => boolean {
  const names = new Set(metrics);
  const uses = ({ expr }: { readonly expr: string }): boolean =>
    selectorsOf(expr).some((selector) => names.has(metricOf(selector)));
  for (let size = -1; size !== names.size;) {
    size = names.size;
    for (const recording of recordings) if (uses(recording)) names.add(recording.record);
  }
  return uses;
}

describe('the rules', () => {
  it(`record finite values by namespace and job with each of the ${recordings.length} recording rules`, async () => {
    const problems = [];
    for (const { record, expr } of recordings) {
      if (needsCluster({ expr })) continue;
      for (const each of [expr, record]) {
        const query = { name: record, expr: each, labels: ['namespace', 'job'] };
        problems.push(...(await problemsOf(stage.prometheus, query, span())));
      }
    }
    expect(problems).toEqual([]);
  });

  it('lack results in just the recording rules that use a metric, if the metric has another name', async () => {
    const own = recordings.filter((recording) => !needsCluster(recording));
    const found = [];
    for (const { record, expr } of own) {
      const query = { name: record, expr, labels: [] };
      if ((await problemsOf(stage.renamed, query, span())).length > 0) found.push(record);
    }
    expect(found.length).toBeGreaterThan(0);
    expect(found).toEqual(own.filter(affectedBy(Object.keys(renamed))).map(({ record }) => record));
  });

  for (const { alert, expr } of alerts) {
    const own = selectorsOf(expr).filter((selector) => !isOfCluster(selector));
    const ofCluster = selectorsOf(expr).filter(isOfCluster);
    const itMatches = (where: string, selectors: readonly string[], test: typeof it) => {
      if (selectors.length === 0) return;
      test(`each selector of ${alert} matches a series ${where}`, async () => {
        expect(await missingSelectors(stage.prometheus, selectors, span())).toEqual([]);
      });
    };
    itMatches('of the service', own, it);
    itMatches('of the cluster', ofCluster, isWithoutCluster ? it.skip : it);
  }
});

const lastFaults = [...harmlessFaults, outage(nextVersion), disappearance];
const localFaults = [...budgetFaults, deployment(nextVersion), ...lastFaults];
const namesOf = ({ alerts: names }: Pick<Fault, 'alerts'>): readonly string[] => names;

describe('alerts', () => {
  it('each have a fault that makes them fire', () => {
    const faulty = [...localFaults, ...clusterFaults].flatMap(namesOf);
    expect([...new Set(faulty)].sort()).toEqual(alerts.map(({ alert }) => alert).sort());
  });

  for (const fault of lastFaults) itTells(fault);

  it.each([...new Set([...localFaults, ...(isWithoutCluster ? [] : clusterFaults)].flatMap(namesOf))])(
    '%s ends after all faults are over',
    async (name) => {
      await untilResolved(stage.prometheus, name, resolvedTimeoutMs);
    },
    resolvedTimeoutMs + 10_000,
  );
});
