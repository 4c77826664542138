import * as units from '@grafana/grafana-foundation-sdk/units';
import { graph } from './panels.js';
import { max, min, ofPostgres, rate, ratio, sum } from './promql.js';

const ofOurs = (name: string) => ofPostgres(name, 'datname!~"template.*|postgres|"');
const server = '{{server}}';

/** Metrics of Postgres itself, under the names that its exporter has used since version 0.11. */
export const exporterPanels = [
  graph({
    title: 'Servers that the exporter reaches',
    description:
      '1: the exporter reaches the server. 0 although the processes reach it: the exporter has the problem.',
    unit: units.Short,
    width: 6,
    max: 1,
    queries: [{ expr: min(ofPostgres('pg_up'), 'server'), legend: server }],
    runbooks: ['database-server-down'],
  }),
  graph({
    title: 'Connections of the server',
    description:
      'All connections, relative to max_connections. Above 90 % new processes and people may be refused.',
    unit: units.PercentUnit,
    width: 6,
    max: 1,
    thresholds: [[0.9, 'red']],
    queries: [
      {
        expr: ratio(
          sum(ofPostgres('pg_stat_activity_count'), 'server'),
          max(ofPostgres('pg_settings_max_connections'), 'server'),
        ),
        legend: server,
      },
    ],
    runbooks: ['pool-exhausted'],
  }),
  graph({
    title: 'Oldest transaction',
    description:
      'Age of the oldest open transaction. Minutes: somebody left one open, a backup runs, or a migration waits for a lock. It prevents VACUUM from cleaning up.',
    unit: units.Seconds,
    width: 6,
    thresholds: [[300, 'orange']],
    queries: [{ expr: max(ofPostgres('pg_stat_activity_max_tx_duration'), 'server'), legend: server }],
  }),
  graph({
    title: 'WAL kept by slots',
    description:
      'WAL that the server keeps because a replica has not received it yet, by slot. It grows while a replica is down, and fills the volume unless max_slot_wal_keep_size is reached first.',
    unit: units.BytesIEC,
    width: 6,
    thresholds: [[1_073_741_824, 'orange']],
    queries: [
      {
        expr: max(ofPostgres('pg_replication_slots_pg_wal_lsn_diff'), 'server', 'slot_name'),
        legend: '{{server}} {{slot_name}}',
      },
    ],
    runbooks: ['replica-lagging', 'volume-filling'],
  }),
  graph({
    title: 'Deadlocks',
    description:
      'Transactions that Postgres aborted because they waited for each other. They are repeated; many of them are a bug.',
    unit: units.OpsPerSecond,
    width: 6,
    queries: [{ expr: sum(rate(ofOurs('pg_stat_database_deadlocks')), 'server'), legend: server }],
  }),
  graph({
    title: 'Transactions',
    description: 'Committed and rolled back transactions per second, from all clients.',
    unit: units.OpsPerSecond,
    width: 6,
    queries: [
      { expr: sum(rate(ofOurs('pg_stat_database_xact_commit')), 'server'), legend: `${server} committed` },
      {
        expr: sum(rate(ofOurs('pg_stat_database_xact_rollback')), 'server'),
        legend: `${server} rolled back`,
      },
    ],
  }),
  graph({
    title: 'Blocks read from memory',
    description:
      'Share of blocks that were found in shared_buffers. Far below 99 %: the data in use no longer fits, so the disk limits the speed.',
    unit: units.PercentUnit,
    width: 6,
    max: 1,
    queries: [
      {
        expr: ratio(
          sum(rate(ofOurs('pg_stat_database_blks_hit')), 'server'),
          `(${sum(rate(ofOurs('pg_stat_database_blks_hit')), 'server')} + ${sum(rate(ofOurs('pg_stat_database_blks_read')), 'server')})`,
        ),
        legend: server,
      },
    ],
  }),
  graph({
    title: 'Size of the database',
    description: 'Bytes of tables and indexes. The daily growth shows when the volume will be full.',
    unit: units.BytesIEC,
    width: 6,
    queries: [
      { expr: max(ofOurs('pg_database_size_bytes'), 'server', 'datname'), legend: '{{server}} {{datname}}' },
    ],
    runbooks: ['volume-filling'],
  }),
];
