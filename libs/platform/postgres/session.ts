import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import type { PostgresClient } from './postgres-client.js';
import type { Statement, TextRow } from './statement.js';

/** A connection while it is lent. */
export class Session {
  private madeRunner: QueryRunner | null = null;

  constructor(
    readonly client: PostgresClient,
    private readonly dataSource: DataSource,
  ) {}

  /** TypeORM's runner on this connection. It costs about as much as a statement, so it is made only where it is asked for. */
  get runner(): QueryRunner {
    if (this.madeRunner === null) {
      this.madeRunner = this.dataSource.createQueryRunner();
      // It would borrow a connection from the pool otherwise.
      (this.madeRunner as unknown as { databaseConnection: PostgresClient }).databaseConnection = this.client;
    }
    return this.madeRunner;
  }

  get manager(): EntityManager {
    return this.runner.manager;
  }

  /** Runs a statement through pg itself, without TypeORM. Returns its rows as text. */
  rows(statement: Statement, values: readonly unknown[]): Promise<readonly TextRow[]> {
    return this.client.rows(statement, values);
  }

  /** The same, but the server ends it after `limitMs`, as `isStatementTimeout` tells. */
  rowsWithin(limitMs: number, statement: Statement, values: readonly unknown[]): Promise<readonly TextRow[]> {
    return this.client.rowsWithin(limitMs, statement, values);
  }

  /** The connection is given back: TypeORM must not use it any more. */
  end(): void {
    void this.madeRunner?.release();
  }
}
