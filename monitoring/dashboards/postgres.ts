import * as units from '@grafana/grafana-foundation-sdk/units';
import { graph } from './panels.js';
import { max, min, ofPostgres, rate, ratio, sum } from './promql.js';

const ofOurs = (name: string) => ofPostgres(name, 'datname!~"template.*|postgres|"');
const server = '{{server}}';

/** What only Postgres itself knows. By names that its exporter has had since version 0.11. */
export const exporterPanels = [
  graph({
    title: 'Servers that the exporter reaches',
    description: '1: it reaches the server. 0 while the processes do: the exporter has the trouble.',
    unit: units.Short,
    width: 6,
    max: 1,
    queries: [{ expr: min(ofPostgres('pg_up'), 'server'), legend: server }],
    runbooks: ['database-server-down'],
  }),
  graph({
    title: 'Connections of the server',
    description:
      'Connections against the most that the server takes (max_connections), of whomever. Above 90 % new processes and people may not get in.',
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
      'Age of the oldest open transaction. Minutes: somebody has forgotten one, a backup runs, or a migration waits for a lock; it keeps VACUUM from its work.',
    unit: units.Seconds,
    width: 6,
    thresholds: [[300, 'orange']],
    queries: [{ expr: max(ofPostgres('pg_stat_activity_max_tx_duration'), 'server'), legend: server }],
  }),
  graph({
    title: 'WAL kept by slots',
    description:
      'WAL that the server keeps because a replica has not fetched it yet, by slot. It grows while a replica is away, and fills the volume unless max_slot_wal_keep_size is reached first.',
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
      'Transactions that Postgres ended because they waited for each other. They are run again; many are a bug.',
    unit: units.OpsPerSecond,
    width: 6,
    queries: [{ expr: sum(rate(ofOurs('pg_stat_database_deadlocks')), 'server'), legend: server }],
  }),
  graph({
    title: 'Transactions',
    description: 'Transactions a second that ended well, and that were rolled back, of whomever.',
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
      'Share of the blocks that were found in shared_buffers. Far below 99 %: the data that is used no longer fits, so the disk sets the pace.',
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
    description: 'Bytes of tables and indexes. What it grows by in a day tells when the volume is full.',
    unit: units.BytesIEC,
    width: 6,
    queries: [
      { expr: max(ofOurs('pg_database_size_bytes'), 'server', 'datname'), legend: '{{server}} {{datname}}' },
    ],
    runbooks: ['volume-filling'],
  }),
];
