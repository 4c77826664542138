import type { Pool, PoolClient } from 'pg';
import type { DataSource, QueryRunner } from 'typeorm';
import { failAfter } from '../async/with-timeout.js';
import { destroy, isReadTimeout } from './client-connection.js';
import { createDataSource, type ConnectionConfig } from './data-source.js';
import { measured, measuredWait, type Operation, type PoolFigures } from './postgres-metrics.js';
import type { Persistence } from './persistence.js';
import { identitySql } from './probe-sql.js';
import { traceStatements } from './traced-client.js';

export interface PoolOptions {
  readonly url: string;
  readonly config: ConnectionConfig;
  readonly features: readonly Persistence[];
  readonly applicationName: string;
}

/** For a question that any server answers at once. */
const proofTimeoutMs = 1000;

/** The connections of one address. The pool opens with its first use. */
export class ServerPool {
  /** Uses under way, by which load is balanced. */
  outstanding = 0;
  private dataSource: Promise<DataSource> | null = null;
  private pool: Pool | null = null;
  private readonly identities = new WeakMap<object, string>();
  private readonly answeredAt = new WeakMap<object, number>();
  private readonly borrowed = new Set<PoolClient>();
  private doubtedAt = -Infinity;

  constructor(
    private readonly options: PoolOptions,
    /** A new connection leads to that server. */
    private readonly onConnect: (identity: string) => void,
    /** A statement got no answer on that connection, which is cut off. */
    private readonly onSilence: (client: PoolClient) => void,
  ) {}

  /** Which server the connection leads to. */
  identityOf(client: PoolClient): string | undefined {
    return this.identities.get(client);
  }

  get figures(): PoolFigures {
    const { totalCount = 0, idleCount = 0, waitingCount = 0 } = this.pool ?? {};
    const { DATABASE_POOL_SIZE } = this.options.config;
    return {
      idle: idleCount,
      used: totalCount - idleCount,
      pending: waitingCount,
      max: DATABASE_POOL_SIZE,
    };
  }

  async use<T>(
    operation: Operation,
    run: (runner: QueryRunner, client: PoolClient) => Promise<T>,
  ): Promise<T> {
    this.outstanding++;
    let runner: QueryRunner | undefined;
    let client: PoolClient | undefined;
    try {
      const lent = await measuredWait(operation, () => this.acquire());
      ({ runner, client } = lent);
      this.borrowed.add(client);
      return await measured(operation, () => run(lent.runner, lent.client));
    } catch (error) {
      if (client !== undefined && isReadTimeout(error)) {
        destroy(client);
        this.onSilence(client);
      }
      throw error;
    } finally {
      this.outstanding--;
      if (client !== undefined) this.borrowed.delete(client);
      await runner?.release();
    }
  }

  /** The server did not answer elsewhere: connections that have not answered since are asked before they are lent. */
  doubt(): void {
    this.doubtedAt = performance.now();
  }

  /** Ends what is under way with an error. */
  breakOff(): void {
    for (const client of this.borrowed) destroy(client);
  }

  /** Closes all connections; the next use opens others. */
  reset(): void {
    const old = this.dataSource;
    this.dataSource = null;
    this.pool = null;
    old?.then((dataSource) => dataSource.destroy()).catch(() => undefined);
  }

  async close(): Promise<void> {
    const dataSource = await this.dataSource?.catch(() => null);
    this.dataSource = null;
    this.pool = null;
    await dataSource?.destroy();
  }

  /**
   * A connection from the pool. After a loss of power nobody tells us that the other end is gone: one in doubt is asked
   * first, and where no answer comes the pool goes with all its connections.
   */
  private async acquire(): Promise<{ runner: QueryRunner; client: PoolClient }> {
    for (let isFirst = true; ; isFirst = false) {
      const pool = this.open();
      const runner = (await pool).createQueryRunner();
      const client = (await runner.connect()) as PoolClient;
      const failure = await this.findFailure(client);
      if (failure === null) return { runner, client };
      destroy(client);
      await runner.release();
      if (this.dataSource === pool) this.reset();
      if (!isFirst) throw failure;
    }
  }

  private async findFailure(client: PoolClient): Promise<Error | null> {
    if ((this.answeredAt.get(client) ?? -Infinity) >= this.doubtedAt) return null;
    const askedAt = performance.now();
    try {
      await failAfter(client.query('SELECT 1'), proofTimeoutMs);
      this.answeredAt.set(client, askedAt);
      return null;
    } catch (error) {
      return error instanceof Error ? error : new Error('The server does not answer.', { cause: error });
    }
  }

  private open(): Promise<DataSource> {
    if (this.dataSource !== null) return this.dataSource;
    const { url, config, features, applicationName } = this.options;
    const opening = createDataSource(url, config, features, applicationName, (client) =>
      this.identify(client),
    ).initialize();
    this.dataSource = opening;
    opening.then(
      (dataSource) => {
        if (this.dataSource === opening) this.pool = poolOf(dataSource);
      },
      () => {
        if (this.dataSource === opening) this.dataSource = null;
      },
    );
    return opening;
  }

  /** Notes which server a new connection leads to. */
  private async identify(client: PoolClient): Promise<void> {
    const { rows } = await failAfter(client.query<{ identity: string }>(identitySql), proofTimeoutMs);
    this.answeredAt.set(client, performance.now());
    traceStatements(client, this.options.url);
    const [row] = rows;
    if (row === undefined) return;
    this.identities.set(client, row.identity);
    this.onConnect(row.identity);
  }
}

/** TypeORM's types leave it out. */
const poolOf = ({ driver }: DataSource): Pool => (driver as unknown as { master: Pool }).master;
