import { setTimeout } from 'node:timers/promises';
import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { userScope } from '../context/scope.js';
import type { Database } from '../database/database.js';
import type { Outbox } from '../events/outbox.js';
import { logger } from '../logging/logger.js';
import type { Metrics } from '../metrics/metrics.js';
import type { SeriesCounter } from '../metrics/series.js';
import { isDatabaseUnavailable } from '../postgres/postgres-errors.js';
import type { FillTask, SweepTask, SweptRow } from './sweep-task.js';

const batchSize = 1000;
const intervalMs = 60_000;
/** The most rows that a fill stores in one transaction. Whoever changes one of them waits for its end. */
const fillSize = 200;
/** After this the other tasks of the sweeper get their turn, and then it goes on. */
const maxFillMs = 30_000;
/** Before the next round of a fill, and before it looks again. */
const pauseMs = 1000;
const sweeperLock = 7_461_073_502;

/** The sweeps of one feature, with its access to the database. */
export interface FeatureSweeps {
  readonly feature: string;
  readonly database: Database;
  /** For tasks that publish events. */
  readonly outbox?: Outbox | undefined;
  readonly tasks: readonly SweepTask[];
  readonly fills?: readonly FillTask[];
}

/** Deletes expired rows and stores others anew, in small transactions; an advisory lock lets one process at a time do it. */
export class Sweeper implements OnApplicationBootstrap, OnApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private isStopped = false;
  /** There is more to fill than the last round had time for. */
  private isFilling = false;
  private readonly deleted: SeriesCounter<'task'>;
  private readonly filled: SeriesCounter<'task'>;

  constructor(
    private readonly features: readonly FeatureSweeps[],
    metrics: Metrics,
  ) {
    this.deleted = metrics.counter({
      name: 'sweeper_deleted_total',
      help: 'Rows that the sweeper deleted because their time was over.',
      labelNames: ['task'],
    });
    this.filled = metrics.counter({
      name: 'sweeper_filled_total',
      help: 'Rows that the sweeper stored anew, as this release keeps them.',
      labelNames: ['task'],
    });
    for (const { feature, fills = [] } of features)
      for (const { name } of fills) this.filled.series({ task: `${feature}.${name}` });
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

  /** One round over all tasks. Returns the number of rows, by task. */
  async sweep(): Promise<Readonly<Record<string, number>>> {
    const counts: Record<string, number> = {};
    this.isFilling = false;
    const run = async (label: string, rows: Promise<number>): Promise<void> => {
      counts[label] = await rows.catch((error: unknown) => {
        // One that fails must not stop the others. That the database is not available is logged elsewhere.
        if (!isDatabaseUnavailable(error)) logger.error({ err: error, task: label }, 'sweep failed');
        return 0;
      });
    };
    for (const { feature, tasks, fills = [], ...access } of this.features) {
      for (const task of tasks) {
        const label = `${feature}.${task.name}`;
        await run(label, this.sweepTask(label, access, task));
      }
      for (const task of fills) {
        const label = `${feature}.${task.name}`;
        await run(label, this.fill(label, access.database, task));
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

  /** It rests as long as it works: at most half of a core of the primary, and of the time of a pool's connection. */
  private async fill(label: string, database: Database, task: FillTask): Promise<number> {
    const filled = this.filled.series({ task: label });
    const endsAt = performance.now() + maxFillMs;
    let total = 0;
    while (!this.isStopped) {
      if (performance.now() >= endsAt) {
        this.isFilling = true;
        break;
      }
      const begunAt = performance.now();
      const count = await fillBatch(database, task);
      if (count === null) break;
      filled.inc(count);
      total += count;
      // A replica that lags still shows what is filled already.
      await setTimeout(count > 0 ? performance.now() - begunAt : pauseMs);
    }
    if (total > 0) logger.info({ task: label, rows: total }, 'rows stored anew');
    return total;
  }

  private schedule(delayMs: number): void {
    this.timer = globalThis.setTimeout(() => {
      this.running = this.sweep().then(() => {
        if (!this.isStopped) this.schedule(this.isFilling ? pauseMs : intervalMs);
      });
    }, delayMs);
    this.timer.unref();
  }
}

type Access = Pick<FeatureSweeps, 'database' | 'outbox'>;

async function sweepBatch({ database, outbox }: Access, task: SweepTask): Promise<number> {
  const { affected } = task;
  const users = affected === undefined ? [] : await findAffected(database, affected, batchSize);
  if (affected !== undefined && users.length === 0) return 0;
  const deleted = await alone(database, users, async (manager) => {
    const values = affected === undefined ? [batchSize] : [batchSize, users];
    const [rows, count] = await manager.query<[SweptRow[], number]>(task.statement, values);
    if (outbox !== undefined && rows.length > 0) await task.publish?.(outbox, manager, rows);
    return count;
  });
  return deleted ?? 0;
}

/** Null where nothing is left to fill, or another process does it. */
async function fillBatch(database: Database, { affected, fill }: FillTask): Promise<number | null> {
  const users = await findAffected(database, affected, fillSize);
  return users.length === 0 ? null : alone(database, users, (manager) => fill(manager, users, fillSize));
}

/** Runs it in a transaction that changes what the users see, unless another process sweeps: then null. */
function alone(
  database: Database,
  users: readonly string[],
  run: (manager: EntityManager) => Promise<number>,
): Promise<number | null> {
  const runIfFree = async (manager: EntityManager): Promise<number | null> => {
    const [row] = await manager.query<{ locked: boolean }[]>(
      'SELECT pg_try_advisory_xact_lock($1) AS locked',
      [sweeperLock],
    );
    return row?.locked === true ? run(manager) : null;
  };
  return database.write(runIfFree, { scopes: users.map(userScope) });
}

async function findAffected(database: Database, statement: string, limit: number): Promise<string[]> {
  const rows = await database.read((manager) => manager.query<{ user_id: string }[]>(statement, [limit]));
  return [...new Set(rows.map(({ user_id }) => user_id))];
}
