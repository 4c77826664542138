import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { userScope } from '../context/scope.js';
import type { Database } from '../database/database.js';
import type { Outbox } from '../events/outbox.js';
import { logger } from '../logging/logger.js';
import type { Metrics } from '../metrics/metrics.js';
import type { SeriesCounter } from '../metrics/series.js';
import { isDatabaseUnavailable } from '../postgres/postgres-errors.js';
import type { SweepTask, SweptRow } from './sweep-task.js';

const batchSize = 1000;
const intervalMs = 60_000;
const sweeperLock = 7_461_073_502;

/** The sweeps of one feature, with its access to the database. */
export interface FeatureSweeps {
  readonly feature: string;
  readonly database: Database;
  /** For tasks that publish events. */
  readonly outbox?: Outbox | undefined;
  readonly tasks: readonly SweepTask[];
}

/** Deletes expired rows, in small transactions; an advisory lock lets one process at a time do it. */
export class Sweeper implements OnApplicationBootstrap, OnApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private isStopped = false;
  private readonly deleted: SeriesCounter<'task'>;

  constructor(
    private readonly features: readonly FeatureSweeps[],
    metrics: Metrics,
  ) {
    this.deleted = metrics.counter({
      name: 'sweeper_deleted_total',
      help: 'Rows that the sweeper deleted because their time was over.',
      labelNames: ['task'],
    });
    for (const { feature, tasks, outbox } of features)
      for (const { name, publish } of tasks) {
        if (publish !== undefined && outbox === undefined)
          throw new Error(`The sweep ${feature}.${name} publishes events, and ${feature} has no outbox.`);
        this.deleted.series({ task: `${feature}.${name}` });
      }
  }

  onApplicationBootstrap(): void {
    // At a random time of the interval, so that pods that start together don't sweep together.
    this.schedule(Math.random() * intervalMs);
  }

  async onApplicationShutdown(): Promise<void> {
    this.isStopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  /** One round over all tasks. Returns the number of deleted rows, by task. */
  async sweep(): Promise<Readonly<Record<string, number>>> {
    const counts: Record<string, number> = {};
    for (const { feature, tasks, ...access } of this.features) {
      for (const task of tasks) {
        const label = `${feature}.${task.name}`;
        counts[label] = await this.sweepTask(label, access, task).catch((error: unknown) => {
          // One that fails must not stop the others. That the database is not available is logged elsewhere.
          if (!isDatabaseUnavailable(error)) logger.error({ err: error, task: label }, 'sweep failed');
          return 0;
        });
      }
    }
    return counts;
  }

  private async sweepTask(label: string, access: Access, task: SweepTask): Promise<number> {
    const deleted = this.deleted.series({ task: label });
    let total = 0;
    for (let count = batchSize; count === batchSize && !this.isStopped; total += count) {
      count = await sweepBatch(access, task);
      deleted.inc(count);
    }
    return total;
  }

  private schedule(delayMs: number): void {
    this.timer = setTimeout(() => {
      this.running = this.sweep().then(() => {
        if (!this.isStopped) this.schedule(intervalMs);
      });
    }, delayMs);
    this.timer.unref();
  }
}

type Access = Pick<FeatureSweeps, 'database' | 'outbox'>;

async function sweepBatch({ database, outbox }: Access, task: SweepTask): Promise<number> {
  const { affected } = task;
  const users = affected === undefined ? [] : await findAffected(database, affected);
  if (affected !== undefined && users.length === 0) return 0;
  const run = async (manager: EntityManager) => {
    const [row] = await manager.query<{ locked: boolean }[]>(
      'SELECT pg_try_advisory_xact_lock($1) AS locked',
      [sweeperLock],
    );
    if (!row?.locked) return 0;
    const values = affected === undefined ? [batchSize] : [batchSize, users];
    const [rows, count] = await manager.query<[SweptRow[], number]>(task.statement, values);
    if (outbox !== undefined && rows.length > 0) await task.publish?.(outbox, manager, rows);
    return count;
  };
  return database.write(run, { scopes: users.map(userScope) });
}

async function findAffected(database: Database, statement: string): Promise<string[]> {
  const rows = await database.read((manager) => manager.query<{ user_id: string }[]>(statement, [batchSize]));
  return [...new Set(rows.map(({ user_id }) => user_id))];
}
