import type { Pool } from 'pg';
import type { DataSource } from 'typeorm';
import { failAfter } from '../async/with-timeout.js';
import { currentCall, outsideOfCalls } from '../context/call-context.js';
import { Deadline } from '../context/deadline.js';
import { DeadlineExceeded } from '../errors/common-errors.js';
import { ConnectionLost, StatementTimedOut } from './connection-errors.js';
import { ConnectionUse, type Connection } from './connection-use.js';
import { createDataSource, type ConnectionConfig } from './data-source.js';
import type { SentRead } from './batch-query.js';
import type { Operation } from './operation.js';
import type { Persistence } from './persistence.js';
import type { PostgresClient } from './postgres-client.js';
import { isUnanswered } from './postgres-errors.js';
import type { PoolFigures } from './postgres-metrics.js';
import { identitySql } from './probe-sql.js';
import { Batches } from './batches.js';
import { Session } from './session.js';
import type { Statement, TextRow } from './statement.js';
import { describeStatement, type TracedServer } from './statement-span.js';
import { inClientSpan } from '../telemetry/tracer.js';

export interface PoolOptions {
  readonly url: string;
  readonly config: ConnectionConfig;
  readonly features: readonly Persistence[];
  readonly applicationName: string;
}

/** A connection that is in use. */
export interface Borrowed {
  readonly session: Session;
  /** From now on the deadline of the call does not end the use, see `ConnectionUse`. @throws DeadlineExceeded */
  readonly outlastDeadline: () => void;
}

/** The rows of a read. Null: it was not run. */
export type ReadAnswer = readonly TextRow[] | null;

export interface WantedRead extends Pick<SentRead, 'statement' | 'values'> {
  /** Whether it may be run on this connection, asked just before. */
  readonly isGood: (client: PostgresClient) => boolean;
}

/** A statement that waits for a connection which it shares with others. It is answered once; what comes later is ignored. */
export interface BatchedRead extends WantedRead, SentRead {
  /** It has its connection. */
  begin(): void;
  answer(rows: ReadAnswer): void;
}

/** For a question that any server answers at once. */
const proofTimeoutMs = 1000;

/** Reads that share a connection take milliseconds. What takes this long together is run again, each alone. */
const maxBatchMs = 1000;
/** And so is what comes in this time after that. */
const aloneMs = 5000;

/** The connections to one address. The pool opens with its first use. */
export class ServerPool {
  /** Connections in use, for load balancing. */
  outstanding = 0;
  private dataSource: Promise<DataSource> | null = null;
  /** The same, once it is open. */
  private opened: DataSource | null = null;
  private readonly identities = new WeakMap<PostgresClient, string>();
  private readonly answeredAt = new WeakMap<PostgresClient, number>();
  private readonly inUse = new Set<PostgresClient>();
  private doubtedAt = -Infinity;
  private isClosed = false;
  /** Reads are slow: one that waits for others would wait for long. */
  private aloneUntil = -Infinity;
  private readonly tracedAs: TracedServer;
  private readonly batches: Batches<BatchedRead>;

  constructor(
    private readonly options: PoolOptions,
    /** A new connection leads to the server of that identity. */
    private readonly onConnect: (identity: string) => void,
    /** A connection was cut off in the middle of a statement, which the server may still work on. */
    private readonly onInterrupted: (client: PostgresClient) => void,
  ) {
    const { DATABASE_CONNECT_TIMEOUT_MS: maxWaitMs } = options.config;
    this.batches = new Batches({
      run: (reads) => outsideOfCalls(() => this.runTogether(reads)),
      maxWaitMs,
    });
    const { hostname, port, pathname } = new URL(options.url);
    this.tracedAs = { address: hostname, port: Number(port || 5432), database: pathname.slice(1) };
  }

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
      pending: waitingCount + this.batches.pending,
      max: DATABASE_POOL_SIZE,
    };
  }

  /**
   * Lends a connection until the promise of `work` settles, or until the deadline of the current call: then the connection
   * is cut off, and what runs on it is cancelled.
   *
   * @throws DeadlineExceeded
   */
  async use<T>(operation: Operation, work: (borrowed: Borrowed) => Promise<T>): Promise<T> {
    const deadline = currentCall()?.deadline ?? Deadline.none;
    deadline.throwIfExpired();
    const use = new ConnectionUse<PooledConnection>(deadline, this.interrupt);
    const running = operation.begin();
    this.outstanding++;
    let session: Session | null = null;
    try {
      const { client, dataSource } = await use.wait(this.acquire());
      running.acquired();
      this.inUse.add(client);
      session = new Session(client, dataSource);
      return await work({ session, outlastDeadline: use.outlastDeadline });
    } catch (error) {
      const failure = use.failureOf(error);
      running.failed(failure);
      // The client has cut the connection off already.
      if (use.connection !== null && isUnanswered(failure)) this.onInterrupted(use.connection.client);
      throw failure;
    } finally {
      running.end();
      this.outstanding--;
      if (use.connection !== null) this.inUse.delete(use.connection.client);
      session?.end();
      use.end();
    }
  }

  /**
   * Runs a statement that takes little time, on a connection that it shares with others. At the deadline of the call the wait
   * ends; a statement that was sent by then goes on. Null: it has no answer and is to be run alone, because `isGood` refused the
   * connection, one before it failed, or they took too long together.
   *
   * @throws DeadlineExceeded
   */
  async rowsTogether(operation: Operation, wanted: WantedRead): Promise<ReadAnswer> {
    if (performance.now() < this.aloneUntil) return null;
    const deadline = currentCall()?.deadline ?? Deadline.none;
    deadline.throwIfExpired();
    const running = operation.begin();
    let forgetDeadline: () => void = () => undefined;
    const ask = () =>
      new Promise<ReadAnswer>((resolve, reject) => {
        const read = { ...wanted, begin: () => running.acquired(), answer: resolve, fail: reject };
        forgetDeadline = deadline.onExpired(() => {
          this.batches.remove(read);
          reject(new DeadlineExceeded());
        });
        this.batches.add(read);
      });
    this.outstanding++;
    try {
      const answer = await this.traced(wanted.statement, ask);
      // Else it is run, and measured, in another way.
      if (answer !== null) running.end();
      return answer;
    } catch (error) {
      running.failed(error);
      running.end();
      throw error;
    } finally {
      forgetDeadline();
      this.outstanding--;
    }
  }

  /** Runs what sends the statement for a call, as a span of that call. */
  traced<T>({ text }: Statement, ask: () => Promise<T>): Promise<T> {
    return inClientSpan(() => describeStatement(text, this.tracedAs), ask);
  }

  /** The server did not answer elsewhere: a connection that has not answered since is checked before it is lent. */
  doubt(): void {
    this.doubtedAt = performance.now();
  }

  /** Destroys all connections in use: their statements fail with ConnectionLost. */
  breakOff(): void {
    for (const client of this.inUse) client.cut();
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

  private async runTogether(reads: readonly BatchedRead[]): Promise<void> {
    const { client, release } = await this.acquire();
    this.inUse.add(client);
    try {
      const good = reads.filter(({ isGood }) => isGood(client));
      for (const read of good) read.begin();
      const failure = good.length > 0 ? await client.runReads(good, maxBatchMs) : null;
      if (!(failure instanceof StatementTimedOut)) return;
      this.onInterrupted(client);
      this.aloneUntil = performance.now() + aloneMs;
    } finally {
      this.inUse.delete(client);
      release();
    }
  }

  private readonly interrupt = (client: PostgresClient): void => {
    client.cut();
    this.onInterrupted(client);
  };

  /**
   * A connection from the pool. After a loss of power nobody tells us that the other end is gone. So a connection in doubt
   * is checked first, and where no answer comes the pool is closed with all its connections.
   */
  private async acquire(): Promise<PooledConnection> {
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
}

interface PooledConnection extends Connection {
  readonly dataSource: DataSource;
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
