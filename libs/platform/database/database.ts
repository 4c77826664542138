import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { isTransientConflict } from './postgres-errors.js';

/** Postgres gives up one of two deadlocked transactions; a second deadlock in a row is rare, a third a bug. */
const writeAttempts = 3;

/**
 * The one door to the database of this process.
 *
 * Both methods lend a manager that is good only until the callback's promise settles.
 * A server that is away or too slow ends as a 503 problem (see `isDatabaseUnavailable`).
 */
@Injectable()
export class Database implements OnApplicationShutdown {
  constructor(private readonly primary: DataSource) {}

  /** Runs reads without side effects. Consistency: the primary, each statement on its own snapshot. */
  read<T>(run: (manager: EntityManager) => Promise<T>): Promise<T> {
    return run(this.primary.manager);
  }

  /**
   * Runs `run` in one transaction on the primary (READ COMMITTED) and commits when it resolves.
   * It may run up to three times (deadlock), so it must have no effect outside the transaction.
   * An error after COMMIT was sent leaves the outcome unknown to the caller, as with any database.
   */
  async write<T>(run: (manager: EntityManager) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.primary.transaction(run);
      } catch (error) {
        if (attempt >= writeAttempts || !isTransientConflict(error)) throw error;
      }
    }
  }

  /** After HTTP has drained and the consumers have stopped: Nest calls this last. */
  async onApplicationShutdown(): Promise<void> {
    if (this.primary.isInitialized) await this.primary.destroy();
  }
}
