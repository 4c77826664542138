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
      'Share of the look-ups that a kept answer was good for. It falls to zero: nothing is trusted (see Consistency below), or users write more than they read. The database carries the rest.',
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
      'Share of all look-ups that each layer answered: the memory of the process, Redis, or another request that was fetching the same (`flight`). After a deployment memory begins empty and Redis carries more.',
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
    title: 'Look-ups by cache, layer and result',
    description:
      'Look-ups a second. `bypass`: the user is being written to, or nothing is trusted, so no layer was asked.',
    unit: units.OpsPerSecond,
    width: 8,
    isTabled: true,
    queries: [{ expr: sum(lookups(), 'cache', 'layer', 'result'), legend: '{{cache}} {{layer}} {{result}}' }],
    runbooks: ['cache-collapsed'],
  }),
  graph({
    title: 'Time of an operation in Redis',
    description:
      'Look-ups (get) and stores (set) of cached answers. A look-up that takes too long is given up and the database asked.',
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
    description: 'Entries a second that were dropped early because their user wrote.',
    unit: units.OpsPerSecond,
    width: 8,
    queries: [{ expr: sum(rate(ofApi('cache_invalidations_total')), 'instance'), legend: each }],
  }),
  graph({
    title: 'Memory of cached answers',
    description:
      'Memory that cached answers take in each process. It is bounded: at the bound the oldest go.',
    unit: units.BytesIEC,
    width: 8,
    queries: [{ expr: sum(ofApi('cache_memory_bytes'), 'instance'), legend: each }],
  }),
];

const limits = [
  graph({
    title: 'Decisions of the rate limits',
    description:
      'Calls counted against a limit, by policy. `user` is every call of a user who is logged in, `ip` of the others by address; the rest guard logins and mails.',
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
      'Of the calls that were counted, by policy. A jump: an attack, one client in an endless loop, or a proxy whose clients share one address.',
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
      '1 while the process reaches Redis. At 0 nothing is wrong for users, but reads come from the primary and writes take a second longer.',
    unit: units.Short,
    width: 8,
    max: 1,
    queries: [{ expr: min(ofApi('redis_link_up'), 'instance'), legend: each }],
    runbooks: ['without-redis'],
  }),
  graph({
    title: 'Caches and replicas in use',
    description:
      '1 while the process trusts its caches and the replicas. 0 for some seconds after Redis came back is usual, for minutes it is not.',
    unit: units.Short,
    width: 8,
    max: 1,
    queries: [{ expr: min(ofApi('consistency_trusted'), 'instance'), legend: each }],
    runbooks: ['untrusted'],
  }),
  graph({
    title: 'Leases held',
    description: '1 while the process writes without Redis, and so keeps all others from trusting it.',
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
      'Memory that is used, and the most that Redis may use (0: no bound). At the bound it drops entries: the cache gets worse, nothing gets wrong.',
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
      'Keys a second that went because memory was full (evicted), or because their time was over (expired). Evictions for long: Redis is too small.',
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
    description: 'Commands a second. Each request makes one, a miss in the memory of the process one more.',
    unit: units.OpsPerSecond,
    width: 8,
    queries: [{ expr: sum(rate(ofRedis('redis_commands_processed_total'))), legend: 'commands' }],
  }),
  graph({
    title: 'Redis up, by its exporter',
    description:
      '1: the exporter reaches Redis. 0 while the processes reach it: the exporter has the trouble.',
    unit: units.Short,
    width: 8,
    max: 1,
    queries: [{ expr: min(ofRedis('redis_up')), legend: 'up' }],
    runbooks: ['without-redis'],
  }),
  graph({
    title: 'Clients of Redis',
    description:
      'Connections to Redis, of all processes, of the exporter and of people. It falls while nothing is stopping: a process has lost Redis.',
    unit: units.Short,
    width: 8,
    queries: [{ expr: max(ofRedis('redis_connected_clients')), legend: 'clients' }],
  }),
  graph({
    title: 'CPU of Redis',
    description:
      'Processors that Redis used. Commands run on one thread: near 1 it is full, and every request waits for it.',
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
  description: 'Do the caches answer, is Redis there, who is being blocked?',
  variables: ['instance'],
  sections: [
    { title: 'Caches', panels: cacheHits },
    { title: 'Rate limits', panels: limits },
    { title: 'Consistency', panels: consistency },
    { title: 'Redis, by its exporter (monitoring.redisExporter.enabled)', panels: redis },
  ],
});
