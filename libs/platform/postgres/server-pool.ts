import { BoundedQueue } from '../async/bounded-queue.js';
import { failAfter, TimeoutError } from '../async/with-timeout.js';
import { currentCall, outsideOfCalls } from '../context/call-context.js';
import { Deadline } from '../context/deadline.js';
import { DeadlineExceeded } from '../errors/common-errors.js';
import { inClientSpan } from '../telemetry/tracer.js';
import { Batches } from './batches.js';
import { withPosition, type BatchedRead, type ReadAnswer, type WantedRead } from './batched-read.js';
import { NoConnection, StatementTimedOut } from './connection-errors.js';
import { ConnectionUse } from './connection-use.js';
import type { Connections, PooledConnection, PoolOptions } from './connections.js';
import type { Operation } from './operation.js';
import type { PostgresClient } from './postgres-client.js';
import { isUnanswered } from './postgres-errors.js';
import type { PoolFigures } from './postgres-metrics.js';
import { Session } from './session.js';
import type { Statement } from './statement.js';
import { describeStatement, type TracedServer } from './statement-span.js';

/** A connection that is in use. */
export interface Borrowed {
  readonly session: Session;
  /** From now on the deadline of the call does not end the use, see `ConnectionUse`. @throws DeadlineExceeded */
  readonly outlastDeadline: () => void;
}

/** Of the connections. */
const shareOfWrites = 0.7;
const maxWaitingWrites = 1000;

/** Reads that share a connection take milliseconds. What takes this long together is run again, each alone. */
const maxBatchMs = 1000;
/** And so is what comes in this time after that. */
const aloneMs = 5000;

/** Lends the connections to one address. */
export class ServerPool {
  /** Connections in use, for load balancing. */
  outstanding = 0;
  private readonly inUse = new Set<PostgresClient>();
  private readonly writers: BoundedQueue;
  private waitingWriters = 0;
  private readonly maxWaitMs: number;
  /** Reads are slow: one that waits for others would wait for long. */
  private aloneUntil = -Infinity;
  private readonly tracedAs: TracedServer;
  private readonly batches: Batches<BatchedRead>;

  constructor(
    options: PoolOptions,
    readonly connections: Connections,
    /** A connection was cut off in the middle of a statement, which the server may still work on. */
    private readonly onInterrupted: (client: PostgresClient) => void,
    /** A connection is kept because it owes the answer to a commit. */
    private readonly onOwing: (client: PostgresClient) => void,
  ) {
    const { DATABASE_CONNECT_TIMEOUT_MS: maxWaitMs, DATABASE_POOL_SIZE } = options.config;
    this.maxWaitMs = maxWaitMs;
    const concurrency = Math.max(1, Math.floor(DATABASE_POOL_SIZE * shareOfWrites));
    this.writers = new BoundedQueue(
      { concurrency, queue: maxWaitingWrites },
      () => new NoConnection('too many writes wait for a connection'),
    );
    this.batches = new Batches({
      run: (reads) => outsideOfCalls(() => this.runTogether(reads)),
      maxWaitMs,
    });
    const { hostname, port, pathname } = new URL(options.url);
    this.tracedAs = { address: hostname, port: Number(port || 5432), database: pathname.slice(1) };
  }

  get figures(): PoolFigures {
    const { pending, ...figures } = this.connections.figures;
    return { ...figures, pending: pending + this.batches.pending + this.waitingWriters };
  }

  /**
   * Lends a connection until the promise of `work` settles, or until the deadline of the current call: then the connection
   * is cut off, and what runs on it is cancelled.
   *
   * @throws DeadlineExceeded
   */
  use<T>(operation: Operation, work: (borrowed: Borrowed) => Promise<T>): Promise<T> {
    return this.useOf(() => this.connections.acquire(), operation, work);
  }

  /**
   * The same for a write, of which only a part of the connections takes care at a time: commits that wait for a standby must not keep
   * reads from their connections.
   *
   * @throws DeadlineExceeded
   */
  useToWrite<T>(operation: Operation, work: (borrowed: Borrowed) => Promise<T>): Promise<T> {
    return this.useOf(() => this.acquireToWrite(), operation, work);
  }

  private async useOf<T>(
    acquire: () => Promise<PooledConnection>,
    operation: Operation,
    work: (borrowed: Borrowed) => Promise<T>,
  ): Promise<T> {
    const use = new ConnectionUse<PooledConnection>(currentCall()?.deadline ?? Deadline.none, this.interrupt);
    const running = operation.begin();
    this.outstanding++;
    let session: Session | null = null;
    try {
      use.requireTime();
      const { client, dataSource } = await use.wait(acquire());
      running.acquired();
      this.inUse.add(client);
      session = new Session(client, dataSource);
      return await work({ session, outlastDeadline: use.outlastDeadline });
    } catch (error) {
      const failure = use.failureOf(error);
      running.failed(failure);
      // The client has cut the connection off already.
      const client = use.connection?.client;
      if (client?.owing === null && isUnanswered(failure)) this.onInterrupted(client);
      throw failure;
    } finally {
      running.end();
      this.outstanding--;
      session?.end();
      this.giveBack(use);
    }
  }

  private giveBack(use: ConnectionUse<PooledConnection>): void {
    const client = use.connection?.client;
    const giveBack = () => {
      if (client !== undefined) this.inUse.delete(client);
      use.end();
    };
    if (client === undefined || client.owing === null) {
      giveBack();
      return;
    }
    void client.owing.then(() => {
      client.owing = null;
      giveBack();
    });
    this.onOwing(client);
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

  /** Destroys all connections in use: their statements fail with ConnectionLost. */
  breakOff(): void {
    for (const client of this.inUse) client.cut();
  }

  /** Destroys those that owe the answer to a commit: nobody waits for it any more. */
  breakOffOwing(): void {
    for (const client of this.inUse) if (client.owing !== null) client.cut();
  }

  private async acquireToWrite(): Promise<PooledConnection> {
    if (!this.writers.tryEnter()) await this.enterWriters();
    const leave = () => this.writers.leave();
    try {
      const connection = await this.connections.acquire();
      const release = () => {
        connection.release();
        leave();
      };
      return { ...connection, release };
    } catch (error) {
      leave();
      throw error;
    }
  }

  private async enterWriters(): Promise<void> {
    const entering = this.writers.enter();
    this.waitingWriters++;
    try {
      await failAfter(entering, this.maxWaitMs, 'a free connection');
    } catch (error) {
      entering.then(
        () => this.writers.leave(),
        () => undefined,
      );
      throw error instanceof TimeoutError ? new NoConnection('no connection was free in time', error) : error;
    } finally {
      this.waitingWriters--;
    }
  }

  private async runTogether(reads: readonly BatchedRead[]): Promise<void> {
    const { client, release } = await this.connections.acquire();
    this.inUse.add(client);
    try {
      const good = reads.filter(({ isGood }) => isGood(client));
      for (const read of good) read.begin();
      const failure = good.length > 0 ? await client.runReads(withPosition(good), maxBatchMs) : null;
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
}
