import * as units from '@grafana/grafana-foundation-sdk/units';
import { board } from './board.js';
import { graph } from './panels.js';
import { max, min, ofApi, ofRedis, quantile, rate, ratio, sum } from './promql.js';

const lookups = (...matchers: string[]) => rate(ofApi('cache_requests_total', ...matchers));
const decisions = (...matchers: string[]) => rate(ofApi('rate_limit_decisions_total', ...matchers));
const decided = 'result=~"hit|miss"';
const each = '{{instance}}';

const cacheHits = [
  graph({
    title: 'Hit ratio by cache',
    description:
      'Share of lookups that are hits. If it falls to zero, caches are not trusted (see Consistency below), or users write more than they read. The database serves the rest.',
    unit: units.PercentUnit,
    width: 8,
    max: 1,
    queries: [
      {
        expr: ratio(sum(lookups('result="hit"'), 'cache'), sum(lookups(decided), 'cache')),
        legend: '{{cache}}',
      },
    ],
    runbooks: ['cache-collapsed'],
  }),
  graph({
    title: 'Hits by layer',
    description:
      'Share of all lookups that each layer answered: the memory of the process, Redis, or another request that was fetching the same entry (`flight`). After a deployment the memory is empty, so Redis answers more.',
    unit: units.PercentUnit,
    width: 8,
    max: 1,
    isStacked: true,
    queries: [
      {
        expr: `${sum(lookups('result="hit"'), 'layer')} / on () group_left () (${sum(lookups(decided))} > 0)`,
        legend: '{{layer}}',
      },
    ],
    runbooks: ['cache-collapsed'],
  }),
  graph({
    title: 'Lookups by cache, layer and result',
    description:
      'Lookups per second. `bypass`: a write of this user is in progress, or caches are not trusted, so no layer was asked.',
    unit: units.OpsPerSecond,
    width: 8,
    isTabled: true,
    queries: [{ expr: sum(lookups(), 'cache', 'layer', 'result'), legend: '{{cache}} {{layer}} {{result}}' }],
    runbooks: ['cache-collapsed'],
  }),
  graph({
    title: 'Time of an operation in Redis',
    description:
      'Lookups (get) and stores (set) of cache entries. A lookup that takes too long is given up, and the database is asked.',
    unit: units.Seconds,
    width: 8,
    thresholds: [[0.05, 'orange']],
    queries: [0.5, 0.99].map((q) => ({
      expr: quantile(q, ofApi('cache_operation_duration_seconds_bucket'), 'operation'),
      legend: `{{operation}} p${q * 100}`,
    })),
    runbooks: ['without-redis'],
  }),
  graph({
    title: 'Invalidations',
    description: 'Entries per second that were dropped early because their user wrote.',
    unit: units.OpsPerSecond,
    width: 8,
    queries: [{ expr: sum(rate(ofApi('cache_invalidations_total')), 'instance'), legend: each }],
  }),
  graph({
    title: 'Memory of cached answers',
    description:
      'Memory of the cache in each process. It is bounded: at the limit the oldest entries are dropped.',
    unit: units.BytesIEC,
    width: 8,
    queries: [{ expr: sum(ofApi('cache_memory_bytes'), 'instance'), legend: each }],
  }),
];

const limits = [
  graph({
    title: 'Decisions of the rate limits',
    description:
      'Requests counted against a limit, by policy. `user`: every request of a logged-in user. `ip`: other requests, by address. The rest protect logins and mails.',
    unit: units.OpsPerSecond,
    width: 12,
    isTabled: true,
    queries: [
      {
        expr: sum(decisions(), 'policy', 'decision'),
        legend: '{{policy}} {{decision}}',
      },
    ],
    runbooks: ['rate-limit-surge'],
  }),
  graph({
    title: 'Share of calls that were blocked',
    description:
      'Share of the counted requests, by policy. A jump: an attack, a client in an endless loop, or a proxy whose clients share one address.',
    unit: units.PercentUnit,
    width: 12,
    thresholds: [[0.2, 'orange']],
    queries: [
      {
        expr: ratio(
          `(${sum(decisions('decision="blocked"'), 'policy')} or ${sum(decisions(), 'policy')} * 0)`,
          sum(decisions(), 'policy'),
        ),
        legend: '{{policy}}',
      },
    ],
    runbooks: ['rate-limit-surge'],
  }),
];

const consistency = [
  graph({
    title: 'Redis reached',
    description:
      '1 while the process reaches Redis. At 0 users get correct responses, but reads come from the primary and the first write takes a second longer.',
    unit: units.Short,
    width: 8,
    max: 1,
    queries: [{ expr: min(ofApi('redis_link_up'), 'instance'), legend: each }],
    runbooks: ['without-redis'],
  }),
  graph({
    title: 'Caches and replicas in use',
    description:
      '1 while the process uses caches and replicas. 0 is normal for some seconds after Redis comes back, but not for minutes.',
    unit: units.Short,
    width: 8,
    max: 1,
    queries: [{ expr: min(ofApi('consistency_trusted'), 'instance'), legend: each }],
    runbooks: ['untrusted'],
  }),
  graph({
    title: 'Leases held',
    description: '1 while the process writes without Redis; meanwhile no process trusts caches and replicas.',
    unit: units.Short,
    width: 8,
    max: 1,
    queries: [{ expr: max(ofApi('consistency_lease_held'), 'instance'), legend: each }],
    runbooks: ['untrusted'],
  }),
];

const redis = [
  graph({
    title: 'Memory of Redis',
    description:
      'Used memory, and the maximum that Redis may use (0: unlimited). At the limit it drops entries: the hit ratio falls, but responses stay correct.',
    unit: units.BytesIEC,
    width: 8,
    queries: [
      { expr: max(ofRedis('redis_memory_used_bytes')), legend: 'used' },
      { expr: max(ofRedis('redis_memory_max_bytes')), legend: 'most' },
    ],
    runbooks: ['cache-collapsed'],
  }),
  graph({
    title: 'Evicted and expired keys',
    description:
      'Keys per second that were removed because memory was full (evicted) or their time was over (expired). Evictions over a long time: Redis is too small.',
    unit: units.OpsPerSecond,
    width: 8,
    queries: [
      { expr: sum(rate(ofRedis('redis_evicted_keys_total'))), legend: 'evicted' },
      { expr: sum(rate(ofRedis('redis_expired_keys_total'))), legend: 'expired' },
    ],
    runbooks: ['cache-collapsed'],
  }),
  graph({
    title: 'Commands',
    description:
      'Commands per second. Each request makes one, and one more if the memory of the process has no entry.',
    unit: units.OpsPerSecond,
    width: 8,
    queries: [{ expr: sum(rate(ofRedis('redis_commands_processed_total'))), legend: 'commands' }],
  }),
  graph({
    title: 'Redis up, by its exporter',
    description:
      '1: the exporter reaches Redis. 0 although the processes reach it: the exporter has the problem.',
    unit: units.Short,
    width: 8,
    max: 1,
    queries: [{ expr: min(ofRedis('redis_up')), legend: 'up' }],
    runbooks: ['without-redis'],
  }),
  graph({
    title: 'Clients of Redis',
    description:
      'Connections to Redis from all processes, the exporter and people. If it falls while no process is stopping, a process has lost Redis.',
    unit: units.Short,
    width: 8,
    queries: [{ expr: max(ofRedis('redis_connected_clients')), legend: 'clients' }],
  }),
  graph({
    title: 'CPU of Redis',
    description:
      'CPU cores that Redis uses. Commands run on one thread: near 1 it is saturated, and every request waits for it.',
    unit: units.Short,
    width: 8,
    thresholds: [[0.8, 'orange']],
    queries: [
      {
        expr: `${sum(rate(ofRedis('redis_cpu_user_seconds_total')))} + ${sum(rate(ofRedis('redis_cpu_sys_seconds_total')))}`,
        legend: 'CPU',
      },
    ],
  }),
];

export const cache = board({
  name: 'cache',
  title: 'Cache and rate limits',
  description: 'Do the caches answer, is Redis reachable, who is blocked?',
  variables: ['instance'],
  sections: [
    { title: 'Caches', panels: cacheHits },
    { title: 'Rate limits', panels: limits },
    { title: 'Consistency', panels: consistency },
    { title: 'Redis, from its exporter (monitoring.redisExporter.enabled)', panels: redis },
  ],
});
