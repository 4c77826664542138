import type { Pool } from 'pg';
import type { DataSource } from 'typeorm';
import { failAfter } from '../async/with-timeout.js';
import { outsideOfCalls } from '../context/call-context.js';
import { ConnectionLost } from './connection-errors.js';
import type { Connection } from './connection-use.js';
import { createDataSource, type ConnectionConfig } from './data-source.js';
import type { Persistence } from './persistence.js';
import type { PostgresClient } from './postgres-client.js';
import type { PoolFigures } from './postgres-metrics.js';
import { identitySql } from './probe-sql.js';

export interface PoolOptions {
  readonly url: string;
  readonly config: ConnectionConfig;
  readonly features: readonly Persistence[];
  readonly applicationName: string;
}

/** For a question that any server answers at once. */
const proofTimeoutMs = 1000;

export interface PooledConnection extends Connection {
  readonly dataSource: DataSource;
}

/** The connections to one address. The pool opens with its first use. */
export class Connections {
  private dataSource: Promise<DataSource> | null = null;
  /** The same, once it is open. */
  private opened: DataSource | null = null;
  private readonly identities = new WeakMap<PostgresClient, string>();
  private readonly answeredAt = new WeakMap<PostgresClient, number>();
  private doubtedAt = -Infinity;
  private isClosed = false;

  constructor(
    private readonly options: PoolOptions,
    /** A new connection leads to the server of that identity. */
    private readonly onConnect: (identity: string) => void,
  ) {}

  /** The server that the connection leads to. */
  identityOf(client: PostgresClient): string | undefined {
    return this.identities.get(client);
  }

  get figures(): PoolFigures {
    const { totalCount = 0, idleCount = 0, waitingCount = 0 } = this.opened ? poolOf(this.opened) : {};
    const { DATABASE_POOL_SIZE } = this.options.config;
    return {
      idle: idleCount,
      used: totalCount - idleCount,
      pending: waitingCount,
      max: DATABASE_POOL_SIZE,
    };
  }

  /**
   * A connection from the pool. After a loss of power nobody tells us that the other end is gone. So a connection in doubt
   * is checked first, and where no answer comes the pool is closed with all its connections.
   */
  async acquire(): Promise<PooledConnection> {
    for (let isFirst = true; ; isFirst = false) {
      const pool = this.open();
      const connection = await connect(this.opened ?? (await pool));
      if (!this.isDoubtful(connection.client)) return connection;
      const failure = await this.findFailure(connection.client);
      if (failure === null) return connection;
      connection.client.cut();
      connection.release();
      if (this.dataSource === pool) this.reset();
      if (!isFirst) throw failure;
    }
  }

  private isDoubtful(client: PostgresClient): boolean {
    return (this.answeredAt.get(client) ?? -Infinity) < this.doubtedAt;
  }

  private async findFailure(client: PostgresClient): Promise<Error | null> {
    const askedAt = performance.now();
    try {
      await failAfter(client.query('SELECT 1'), proofTimeoutMs, 'checking a connection');
      this.answeredAt.set(client, askedAt);
      return null;
    } catch (error) {
      return error instanceof Error ? error : new Error('The server does not answer.', { cause: error });
    }
  }

  private open(): Promise<DataSource> {
    // Work of a client that has gone may go on while the process stops: a new pool would keep the process alive.
    if (this.isClosed) return Promise.reject(new ConnectionLost('the pool was closed'));
    if (this.dataSource !== null) return this.dataSource;
    const { url, config, features, applicationName } = this.options;
    const opening = createDataSource(url, config, features, applicationName, (client) =>
      outsideOfCalls(() => this.identify(client)),
    ).initialize();
    this.dataSource = opening;
    opening.then(
      (dataSource) => {
        if (this.dataSource === opening) this.opened = dataSource;
      },
      () => {
        if (this.dataSource === opening) this.dataSource = null;
      },
    );
    return opening;
  }

  /** Finds out which server a new connection leads to. */
  private async identify(client: PostgresClient): Promise<void> {
    const answer = client.query<{ identity: string }>(identitySql);
    const { rows } = await failAfter(answer, proofTimeoutMs, 'identifying the server');
    this.answeredAt.set(client, performance.now());
    const [row] = rows;
    if (row === undefined) return;
    this.identities.set(client, row.identity);
    this.onConnect(row.identity);
  }

  /** The server did not answer elsewhere: a connection that has not answered since is checked before it is lent. */
  doubt(): void {
    this.doubtedAt = performance.now();
  }

  /** Closes all connections; the next use opens new ones. */
  reset(): void {
    const old = this.dataSource;
    this.dataSource = null;
    this.opened = null;
    old?.then((dataSource) => dataSource.destroy()).catch(() => undefined);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    // At once: what asks for a connection from now on is refused.
    this.opened = null;
    const dataSource = await this.dataSource?.catch(() => null);
    this.dataSource = null;
    await dataSource?.destroy();
  }
}

const connect = (dataSource: DataSource): Promise<PooledConnection> =>
  new Promise((resolve, reject) => {
    poolOf(dataSource).connect((error, client, release) => {
      if (client === undefined) reject(error ?? new Error('A pool without a client'));
      else resolve({ client: client as unknown as PostgresClient, release, dataSource });
    });
  });

/** TypeORM's types leave it out. */
const poolOf = ({ driver }: DataSource): Pool => (driver as unknown as { master: Pool }).master;
