import { Counter, Gauge } from 'prom-client';
import { partLatencyBuckets } from '../metrics/latency-buckets.js';
import { registry } from '../metrics/registry.js';
import { SeriesHistogram, type HistogramSeries } from '../metrics/series.js';
import { timed } from '../metrics/timed.js';
import { errorKind } from './postgres-errors.js';

/** What a server was when it last answered. */
export type DatabaseTarget = 'primary' | 'replica';

/** `read`: statements of a read; `write`: a transaction, to the end of its COMMIT; `commit`: the COMMIT alone. */
export type OperationName = 'read' | 'write' | 'commit';

const duration = new SeriesHistogram({
  name: 'db_client_operation_duration_seconds',
  help: 'Time from having a connection to its return: of a read, of a write (a transaction with its COMMIT), and of the COMMIT alone, which waits for the synchronous standby.',
  labelNames: ['db_operation_name', 'db_target'],
  buckets: partLatencyBuckets,
});
const errors = new Counter({
  name: 'db_client_operation_errors_total',
  help: 'Operations that failed by the database: it was `unavailable` (also: no connection in time), a statement took too long (`timeout`), or a transaction had to give way (`conflict`).',
  labelNames: ['db_operation_name', 'db_target', 'error_type'],
  registers: [registry],
});
const waitTime = new SeriesHistogram({
  name: 'db_client_connection_wait_time_seconds',
  help: 'Time until a connection was had from the pool, or was given up.',
  labelNames: ['db_target'],
  buckets: partLatencyBuckets,
});

/** With its series. */
export interface Operation {
  readonly duration: HistogramSeries;
  readonly wait: HistogramSeries;
  /** Counts it where the database is to blame. */
  readonly failed: (error: unknown) => void;
}

function operation(db_operation_name: OperationName, db_target: DatabaseTarget): Operation {
  const labels = { db_operation_name, db_target };
  for (const error_type of ['unavailable', 'timeout', 'conflict']) errors.inc({ ...labels, error_type }, 0);
  return {
    duration: duration.series(labels),
    wait: waitTime.series({ db_target }),
    failed: (error) => {
      const error_type = errorKind(error);
      if (error_type !== null) errors.inc({ ...labels, error_type });
    },
  };
}

/** The few there are. */
export const operations = {
  read: { primary: operation('read', 'primary'), replica: operation('read', 'replica') },
  write: { primary: operation('write', 'primary') },
  commit: { primary: operation('commit', 'primary') },
} as const satisfies Record<OperationName, Partial<Record<DatabaseTarget, Operation>>>;

/** Measures an operation that has its connection. Its failure counts where the database is to blame. */
export const measured = <T>({ duration, failed }: Operation, run: () => Promise<T>): Promise<T> =>
  timed(duration, run, failed);

/** Measures the wait for a connection of the operation. */
export const measuredWait = <T>({ wait, failed }: Operation, acquire: () => Promise<T>): Promise<T> =>
  timed(wait, acquire, failed);

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
  /** Null where it is not known, as with the primary away. */
  lagMsByName(): ReadonlyMap<string, number | null>;
}

/** A process has those of one database. */
let watched: MeasuredServers | null = null;

export function watchServers(servers: MeasuredServers | null): void {
  watched = servers;
}

function sumByTarget(figure: (pool: PoolFigures) => number): Record<DatabaseTarget, number> {
  const sums = { primary: 0, replica: 0 };
  for (const { target, pool } of watched?.all ?? []) if (target !== null) sums[target] += figure(pool);
  return sums;
}

new Gauge({
  name: 'db_client_connection_count',
  help: 'Connections of the pools.',
  labelNames: ['db_target', 'state'],
  registers: [registry],
  collect() {
    for (const state of ['idle', 'used'] as const)
      for (const [db_target, sum] of Object.entries(sumByTarget((pool) => pool[state])))
        this.set({ db_target, state }, sum);
  },
});

new Gauge({
  name: 'db_client_connection_max',
  help: 'Most connections that the pools may open, over all servers of that kind.',
  labelNames: ['db_target'],
  registers: [registry],
  collect() {
    for (const [db_target, sum] of Object.entries(sumByTarget(({ max }) => max)))
      this.set({ db_target }, sum);
  },
});

new Gauge({
  name: 'db_client_connection_pending_requests',
  help: 'Operations that wait for a connection of the pool.',
  labelNames: ['db_target'],
  registers: [registry],
  collect() {
    for (const [db_target, sum] of Object.entries(sumByTarget(({ pending }) => pending)))
      this.set({ db_target }, sum);
  },
});

new Gauge({
  name: 'db_replica_lag_seconds',
  help: 'How long ago the primary was first seen beyond what the replica has replayed; 10 stands for more, too. No series while that is unknown: the primary or the replica does not answer.',
  labelNames: ['replica'],
  aggregator: 'max',
  registers: [registry],
  collect() {
    this.reset();
    for (const [replica, lagMs] of watched?.lagMsByName() ?? [])
      if (lagMs !== null) this.set({ replica }, lagMs / 1000);
  },
});

new Gauge({
  name: 'db_server_up',
  help: '1 while this process reaches the server, else 0; `db_target` is what it was when it last answered, `unknown` before that.',
  labelNames: ['server', 'db_target'],
  aggregator: 'min',
  registers: [registry],
  collect() {
    this.reset();
    for (const { name, target, isUp } of watched?.all ?? [])
      this.set({ server: name, db_target: target ?? 'unknown' }, isUp ? 1 : 0);
  },
});
