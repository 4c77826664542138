import type { Gauge } from 'prom-client';
import { partLatencyBuckets } from '../metrics/latency-buckets.js';
import type { Metrics } from '../metrics/metrics.js';
import { Operation, type DatabaseTarget, type OperationName } from './operation.js';

export interface PoolFigures {
  readonly idle: number;
  readonly used: number;
  readonly pending: number;
  readonly max: number;
}

/** What the metrics ask of a server. */
export interface MeasuredServer {
  readonly name: string;
  readonly isUp: boolean;
  /** Null: it has never answered. */
  readonly target: DatabaseTarget | null;
  readonly pool: PoolFigures;
}

export interface MeasuredServers {
  readonly all: readonly MeasuredServer[];
  /** Null if the lag is not known, as without a primary. */
  lagMsByName(): ReadonlyMap<string, number | null>;
}

/** The metrics of one database: its operations, its pools and its servers. */
export class PostgresMetrics {
  readonly operations: Readonly<{
    read: Readonly<Record<DatabaseTarget, Operation>>;
    write: Readonly<{ primary: Operation }>;
    commit: Readonly<{ primary: Operation }>;
  }>;
  private watched: MeasuredServers | null = null;

  constructor(metrics: Metrics) {
    const operation = operationsOf(metrics);
    this.operations = {
      read: { primary: operation('read', 'primary'), replica: operation('read', 'replica') },
      write: { primary: operation('write', 'primary') },
      commit: { primary: operation('commit', 'primary') },
    };
    this.measurePools(metrics);
    this.measureServers(metrics);
  }

  /** From now on the gauges are about these servers; null: about none. */
  watch(servers: MeasuredServers | null): void {
    this.watched = servers;
  }

  private measurePools(metrics: Metrics): void {
    const connections = metrics.gauge({
      name: 'db_client_connection_count',
      help: 'Connections of the pools.',
      labelNames: ['db_target', 'state'],
      collect: () => {
        for (const state of ['idle', 'used'] as const)
          for (const [db_target, sum] of this.sumsByTarget((pool) => pool[state]))
            connections.set({ db_target, state }, sum);
      },
    });
    const max = metrics.gauge({
      name: 'db_client_connection_max',
      help: 'How many connections the pools may open, over all servers of that kind.',
      labelNames: ['db_target'],
      collect: (): void => this.setByTarget(max, (pool) => pool.max),
    });
    const pending = metrics.gauge({
      name: 'db_client_connection_pending_requests',
      help: 'Operations that wait for a connection of the pool.',
      labelNames: ['db_target'],
      collect: (): void => this.setByTarget(pending, (pool) => pool.pending),
    });
  }

  private measureServers(metrics: Metrics): void {
    const lag = metrics.gauge({
      name: 'db_replica_lag_seconds',
      help: 'Time since the primary was first seen beyond what the replica has replayed; 10 also stands for more. No series while the primary or the replica does not answer.',
      labelNames: ['replica'],
      aggregator: 'max',
      collect: () => {
        lag.reset();
        for (const [replica, lagMs] of this.watched?.lagMsByName() ?? [])
          if (lagMs !== null) lag.set({ replica }, lagMs / 1000);
      },
    });
    const up = metrics.gauge({
      name: 'db_server_up',
      help: '1 while this process reaches the server, else 0. `db_target` is what it was when it last answered, `unknown` before that.',
      labelNames: ['server', 'db_target'],
      aggregator: 'min',
      collect: () => {
        up.reset();
        for (const { name, target, isUp } of this.watched?.all ?? [])
          up.set({ server: name, db_target: target ?? 'unknown' }, isUp ? 1 : 0);
      },
    });
  }

  private setByTarget(gauge: Gauge<'db_target'>, figure: (pool: PoolFigures) => number): void {
    for (const [db_target, sum] of this.sumsByTarget(figure)) gauge.set({ db_target }, sum);
  }

  private sumsByTarget(figure: (pool: PoolFigures) => number): readonly [DatabaseTarget, number][] {
    const sums = { primary: 0, replica: 0 };
    for (const { target, pool } of this.watched?.all ?? []) if (target !== null) sums[target] += figure(pool);
    return [
      ['primary', sums.primary],
      ['replica', sums.replica],
    ];
  }
}

/** Makes operations with their series. */
function operationsOf(metrics: Metrics): (name: OperationName, target: DatabaseTarget) => Operation {
  const duration = metrics.histogram({
    name: 'db_client_operation_duration_seconds',
    help: 'Duration of an operation that has its connection: of a read, of a write (a transaction with its COMMIT, which several calls may share), and of the COMMIT alone, which waits for the synchronous standby.',
    labelNames: ['db_operation_name', 'db_target'],
    buckets: partLatencyBuckets,
  });
  const errors = metrics.counter({
    name: 'db_client_operation_errors_total',
    help: 'Operations that the database failed: it was `unavailable` (also: no connection in time), a statement took too long (`timeout`), or a transaction had to give way (`conflict`).',
    labelNames: ['db_operation_name', 'db_target', 'error_type'],
  });
  const waitTime = metrics.histogram({
    name: 'db_client_connection_wait_time_seconds',
    help: 'Wait for a connection of the pool, until it was there or was given up.',
    labelNames: ['db_target'],
    buckets: partLatencyBuckets,
  });
  return (db_operation_name, db_target) => {
    const labels = { db_operation_name, db_target };
    return new Operation(duration.series(labels), waitTime.series({ db_target }), {
      unavailable: errors.series({ ...labels, error_type: 'unavailable' }),
      timeout: errors.series({ ...labels, error_type: 'timeout' }),
      conflict: errors.series({ ...labels, error_type: 'conflict' }),
    });
  };
}
