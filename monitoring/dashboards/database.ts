import * as units from '@grafana/grafana-foundation-sdk/units';
import { board } from './board.js';
import { graph } from './panels.js';
import { volumeFill } from './kubernetes.js';
import { max, min, ofApi, quantile, rate, ratio, sum } from './promql.js';
import { exporterPanels } from './postgres.js';

const target = 'db_target';
const operation = ['db_operation_name', target] as const;
const operationLegend = '{{db_operation_name}} on {{db_target}}';
const latency = ofApi('db_client_operation_duration_seconds_bucket');

const operations = [
  graph({
    title: 'Operations',
    description:
      'Reads, writes (transactions) and their COMMITs per second, by the server that they went to. If reads move from the replicas to the primary, see the fallbacks below.',
    unit: units.OpsPerSecond,
    width: 12,
    queries: [
      {
        expr: sum(rate(ofApi('db_client_operation_duration_seconds_count')), ...operation),
        legend: operationLegend,
      },
    ],
  }),
  graph({
    title: 'Failed operations',
    description:
      'Database failures. `unavailable`: the server is unreachable, or the pool had no connection in time. `timeout`: a statement took too long. `conflict`: a transaction was aborted and repeated; a few are normal.',
    unit: units.OpsPerSecond,
    width: 12,
    isTabled: true,
    queries: [
      {
        expr: sum(rate(ofApi('db_client_operation_errors_total')), ...operation, 'error_type'),
        legend: `{{error_type}}: ${operationLegend}`,
      },
    ],
    runbooks: ['database-server-down', 'pool-exhausted'],
  }),
  graph({
    title: 'Time of an operation (p50)',
    description: 'Half of the operations took longer. Without the wait for a connection.',
    unit: units.Seconds,
    width: 12,
    queries: [{ expr: quantile(0.5, latency, ...operation), legend: operationLegend }],
  }),
  graph({
    title: 'Time of an operation (p99)',
    description:
      'One in a hundred operations took longer. Only COMMIT is slow: the primary waits for its synchronous standby or its disk. Reads are slow: the CPU of the server, or a changed query plan.',
    unit: units.Seconds,
    width: 12,
    thresholds: [[0.3, 'orange']],
    queries: [{ expr: quantile(0.99, latency, ...operation), legend: operationLegend }],
    runbooks: ['latency-budget'],
  }),
];

const pools = [
  graph({
    title: 'Use of the pools',
    description:
      'Connections in use, relative to the maximum of the pools, in the process with the highest usage. At 100 % requests wait, and soon fail.',
    unit: units.PercentUnit,
    width: 6,
    max: 1,
    thresholds: [
      [0.8, 'orange'],
      [1, 'red'],
    ],
    queries: [
      {
        expr: max(
          ratio(
            sum(ofApi('db_client_connection_count', 'state="used"'), 'instance', target),
            sum(ofApi('db_client_connection_max'), 'instance', target),
          ),
          target,
        ),
        legend: '{{db_target}}',
      },
    ],
    runbooks: ['pool-exhausted'],
  }),
  graph({
    title: 'Connections',
    description: 'Connections of all pools by state, and their maximum.',
    unit: units.Short,
    width: 6,
    queries: [
      {
        expr: sum(ofApi('db_client_connection_count'), target, 'state'),
        legend: '{{db_target}} {{state}}',
      },
      { expr: sum(ofApi('db_client_connection_max'), target), legend: '{{db_target}} most' },
    ],
  }),
  graph({
    title: 'Waiting for a connection',
    description:
      'Operations that wait because all connections of their pool are in use. For more than a moment: slow statements hold the connections, or there are too many requests.',
    unit: units.Short,
    width: 6,
    thresholds: [[1, 'orange']],
    queries: [{ expr: sum(ofApi('db_client_connection_pending_requests'), target), legend: '{{db_target}}' }],
    runbooks: ['pool-exhausted'],
  }),
  graph({
    title: 'Time until a connection is had (p99)',
    description: 'One in a hundred waited longer for its connection.',
    unit: units.Seconds,
    width: 6,
    thresholds: [[0.1, 'orange']],
    queries: [
      {
        expr: quantile(0.99, ofApi('db_client_connection_wait_time_seconds_bucket'), target),
        legend: '{{db_target}}',
      },
    ],
    runbooks: ['pool-exhausted'],
  }),
];

const replicas = [
  graph({
    title: 'Servers up',
    description:
      '1 while every process reaches the server, 0 while one of them does not. Without the primary, writes return 503; without replicas, the primary serves all reads.',
    unit: units.Short,
    width: 6,
    max: 1,
    queries: [{ expr: min(ofApi('db_server_up'), 'server', target), legend: '{{server}} ({{db_target}})' }],
    runbooks: ['database-server-down'],
  }),
  graph({
    title: 'Replica lag',
    description:
      'How far each replica is behind the primary; 10 s means 10 s or more. A gap: unknown, because the primary or the replica does not answer.',
    unit: units.Seconds,
    width: 6,
    thresholds: [[1, 'red']],
    queries: [{ expr: max(ofApi('db_replica_lag_seconds'), 'replica'), legend: '{{replica}}' }],
    runbooks: ['replica-lagging'],
  }),
  graph({
    title: 'Reads by server',
    description: 'Reads per second, by the kind of server that served them.',
    unit: units.ReadsPerSecond,
    width: 4,
    isStacked: true,
    queries: [{ expr: sum(rate(ofApi('db_reads_total')), target), legend: '{{db_target}}' }],
  }),
  graph({
    title: 'Fallbacks from the replicas',
    description:
      'Reads that a replica could have served, but another server did. `lag`: the replica had not replayed the last write of the user. `none`: no replica was usable. `conflict`, `error`: the read on the replica was aborted.',
    unit: units.ReadsPerSecond,
    width: 4,
    queries: [{ expr: sum(rate(ofApi('db_replica_fallback_total')), 'reason'), legend: '{{reason}}' }],
    runbooks: ['replica-lagging'],
  }),
  graph({
    title: 'Reads without a primary',
    description:
      'Reads that replicas answered while there was no primary. `strict`: with everything that was acknowledged. `available`: with what the most recent replica has, because READS_WITHOUT_PRIMARY allows that.',
    unit: units.ReadsPerSecond,
    width: 4,
    queries: [
      { expr: sum(rate(ofApi('db_reads_without_primary_total')), 'guarantee'), legend: '{{guarantee}}' },
    ],
    runbooks: ['database-server-down'],
  }),
];

export const database = board({
  name: 'database',
  title: 'Database and replicas',
  description: 'Postgres as the processes see it, and, if available, as its exporter and the kubelet see it.',
  variables: ['instance'],
  sections: [
    { title: 'Operations', panels: operations },
    { title: 'Pools', panels: pools },
    { title: 'Servers and replicas', panels: replicas },
    { title: 'Postgres, from its exporter (monitoring.postgresExporter.enabled)', panels: exporterPanels },
    { title: 'Volumes, by the kubelet', panels: [volumeFill()] },
  ],
});
