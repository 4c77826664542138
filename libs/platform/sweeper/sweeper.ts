import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Counter } from 'prom-client';
import type { EntityManager } from 'typeorm';
import { DatabaseFactory, type Database } from '../database/database.js';
import { isDatabaseUnavailable } from '../postgres/postgres-errors.js';
import { logger } from '../logging/logger.js';
import { registry } from '../metrics/registry.js';

const batchSize = 1000;
const intervalMs = 60_000;
const sweeperLock = 7_461_073_502;

const deleted = new Counter({
  name: 'sweeper_deleted_total',
  help: 'Rows that the sweeper deleted because their time was over.',
  labelNames: ['task'],
  registers: [registry],
});

/** Deletes rows whose time is over. */
export interface SweepTask {
  /** Feature and what is swept, such as `tasks.trash`. */
  readonly name: string;
  /** Deletes at most `$1` rows. Where `affected` is given, those of the users `$2`. */
  readonly statement: string;
  /** Finds the users, as `user_id`, whose view the deletion of the next `$1` rows changes. */
  readonly affected?: string;
}

/** Of processes that ended without letting go of theirs. */
const leaseSweep: SweepTask = {
  name: 'platform.leases',
  statement: `
    DELETE FROM platform.leases WHERE holder IN (
      SELECT holder FROM platform.leases WHERE expires_at < now() - interval '1 hour' LIMIT $1)`,
};

/** Purges what features say is over, in small transactions; an advisory lock lets one process at a time do it. */
@Injectable()
export class Sweeper implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly tasks: SweepTask[] = [];
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private isStopped = false;

  constructor(private readonly databases: DatabaseFactory) {
    this.register(leaseSweep);
  }

  register(...tasks: readonly SweepTask[]): void {
    this.tasks.push(...tasks);
    for (const { name } of tasks) deleted.inc({ task: name }, 0);
  }

  onApplicationBootstrap(): void {
    // Spread over the interval, so that pods that start together don't sweep together.
    this.schedule(Math.random() * intervalMs);
  }

  async onApplicationShutdown(): Promise<void> {
    this.isStopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  /** One round over all tasks. Returns the rows deleted by task. */
  async sweep(): Promise<Readonly<Record<string, number>>> {
    const counts: Record<string, number> = {};
    for (const task of this.tasks) {
      counts[task.name] = await this.sweepTask(task).catch((error: unknown) => {
        // One that fails must not keep the others from their turn. A database that is away shows elsewhere.
        if (!isDatabaseUnavailable(error)) logger.error({ err: error, task: task.name }, 'sweeping failed');
        return 0;
      });
    }
    return counts;
  }

  private async sweepTask(task: SweepTask): Promise<number> {
    let total = 0;
    for (let count = batchSize; count === batchSize && !this.isStopped; total += count) {
      count = await this.sweepBatch(task);
      deleted.inc({ task: task.name }, count);
    }
    return total;
  }

  private async sweepBatch({ name, statement, affected }: SweepTask): Promise<number> {
    const database = this.databases.forFeature(name.split('.', 1)[0] ?? name);
    const users = affected === undefined ? [] : await findAffected(database, affected);
    const run = async (manager: EntityManager) => {
      const [row] = await manager.query<{ locked: boolean }[]>(
        'SELECT pg_try_advisory_xact_lock($1) AS locked',
        [sweeperLock],
      );
      if (!row?.locked) return 0;
      const values = affected === undefined ? [batchSize] : [batchSize, users];
      const [, count] = await manager.query<[unknown, number]>(statement, values);
      return count;
    };
    if (affected !== undefined && users.length === 0) return 0;
    return database.write(run, { users });
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

async function findAffected(database: Database, statement: string): Promise<string[]> {
  const rows = await database.read((manager) => manager.query<{ user_id: string }[]>(statement, [batchSize]));
  return [...new Set(rows.map(({ user_id }) => user_id))];
}
