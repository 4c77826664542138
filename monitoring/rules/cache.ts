import { alertRule, usualInterval, type Alert, type Rule, type RulesFor, type Target } from './rule.js';
import { apiOf } from './scope.js';

/** Redis, the caches, and the rate limits that are counted in it. */
export const cacheRules: RulesFor = (target) => ({
  name: 'task-api-cache',
  interval: target.time(usualInterval),
  rules: [
    ...cacheRecords(target),
    ...[cacheCollapsed(target), withoutRedis(target), untrusted(target), rateLimitSurge(target)].map(
      (alert) => alertRule(target, alert),
    ),
  ],
});

/**
 * Per cache, because every request uses the cache of sessions, which would hide the others. A bypass is no look-up. The usual
 * rate is known after half an hour of look-ups that is at least an hour ago.
 */
function cacheRecords({ scope, time }: Target): readonly Rule[] {
  const api = apiOf(scope);
  const lookups = (results: string) =>
    `sum by (namespace, job, cache) (rate(cache_requests_total{${api},result=~"${results}"}[${time('5m')}]))`;
  const day = (name: string) => `${name}:rate5m{${api}}[${time('1d')}] offset ${time('1h')}`;
  return [
    { record: 'job_cache:cache_lookups:rate5m', expr: lookups('hit|miss') },
    { record: 'job_cache:cache_hits:rate5m', expr: `${lookups('hit')} or 0 * ${lookups('hit|miss')}` },
    {
      record: 'job_cache:cache_hits:ratio_rate5m',
      expr: `job_cache:cache_hits:rate5m{${api}} / (job_cache:cache_lookups:rate5m{${api}} > 0)`,
    },
    {
      record: 'job_cache:cache_hits:ratio_usual',
      expr:
        `sum_over_time(${day('job_cache:cache_hits')}) / (sum_over_time(${day('job_cache:cache_lookups')}) > 0)` +
        ` and count_over_time(${day('job_cache:cache_lookups')}) > 60`,
    },
  ];
}

/** Compared with the usual rate, and only with a quarter of the usual look-ups: the few look-ups at night rarely repeat. */
function cacheCollapsed({ scope, time }: Target): Alert {
  const api = apiOf(scope);
  const lookups = `job_cache:cache_lookups:rate5m{${api}}`;
  return {
    alert: 'TaskApiCacheCollapsed',
    severity: 'warning',
    expr:
      `job_cache:cache_hits:ratio_rate5m{${api}} < 0.5 * (job_cache:cache_hits:ratio_usual{${api}} > 0.2)` +
      ` and ${lookups} > 1 and ${lookups} > 0.25 * avg_over_time(${lookups}[${time('1d')}] offset ${time('1h')})`,
    for: '15m',
    summary:
      '{{ $labels.job }} in {{ $labels.namespace }} responds more slowly because few lookups hit its cache {{ $labels.cache }}.',
    description:
      '{{ $value | humanizePercentage }} of the lookups are hits, less than half of the usual ratio. Check the evictions and the memory of Redis, and the rate of writes.',
    runbook: 'cache-collapsed',
    dashboard: 'cache',
  };
}

function withoutRedis({ scope }: Target): Alert {
  return {
    alert: 'TaskApiWithoutRedis',
    severity: 'warning',
    expr: `count by (namespace, job) (redis_link_up{${apiOf(scope)}} == 0)`,
    // Longer than it takes to restart it.
    for: '5m',
    summary:
      'Redis is unreachable for {{ $labels.job }} in {{ $labels.namespace }}. Users get correct responses, but reads come from the primary and the first write takes a second longer.',
    description:
      'Processes that can not reach Redis: {{ $value }}. Check the pod of Redis, its log and the network policy.',
    runbook: 'without-redis',
    dashboard: 'cache',
  };
}

function untrusted({ scope }: Target): Alert {
  return {
    alert: 'TaskApiUntrusted',
    severity: 'warning',
    expr: `count by (namespace, job) (consistency_trusted{${apiOf(scope)}} == 0)`,
    for: '10m',
    summary:
      'Caches and replicas are not used by {{ $labels.job }} in {{ $labels.namespace }}. Users get correct responses, but the primary serves all reads.',
    description:
      'Processes that use neither: {{ $value }}. They can not reach Redis or the primary, or another process writes without Redis (consistency_lease_held).',
    runbook: 'untrusted',
    dashboard: 'cache',
  };
}

function rateLimitSurge({ scope, time }: Target): Alert {
  const rate = (matchers: string) =>
    `sum by (namespace, job, policy) (rate(rate_limit_decisions_total{${matchers}}[${time('5m')}]))`;
  const blocked = rate(`${apiOf(scope)},decision="blocked"`);
  return {
    alert: 'TaskApiRateLimitSurge',
    severity: 'warning',
    expr: `${blocked} / ${rate(apiOf(scope))} > 0.2 and ${blocked} > 1`,
    for: '10m',
    summary: 'Many clients of {{ $labels.job }} in {{ $labels.namespace }} exceed a rate limit (429).',
    description:
      '{{ $value | humanizePercentage }} of the requests exceed the limit {{ $labels.policy }}: an attack, a client in a loop, or a proxy whose clients share one address.',
    runbook: 'rate-limit-surge',
    dashboard: 'cache',
  };
}
