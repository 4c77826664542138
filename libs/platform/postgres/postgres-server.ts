import { Batched } from '../async/batched.js';
import { TimeoutError } from '../async/with-timeout.js';
import { outsideOfCalls } from '../context/call-context.js';
import { logger } from '../logging/logger.js';
import type { Position } from '../positions/position.js';
import { NotUsable } from './database-unavailable.js';
import type { DatabaseTarget } from './operation.js';
import type { PostgresClient } from './postgres-client.js';
import { isReadOnly, isStatementTimeout } from './postgres-errors.js';
import type { MeasuredServer, PoolFigures, PostgresMetrics } from './postgres-metrics.js';
import { acknowledge } from './acknowledge.js';
import type { CommitSettings } from './commit-rule.js';
import { ControlConnection } from './control-connection.js';
import { watchOwing } from './owing-connection.js';
import { Probe } from './probe.js';
import { checkedReadSql, probeSql, type ProbeRow } from './probe-sql.js';
import type { MemberAnswer, ServerState } from './server-state.js';
import type { Session } from './session.js';
import type { Statement } from './statement.js';
import type { ReadAnswer } from './batched-read.js';
import { Connections, type PoolOptions } from './connections.js';
import { ServerPool, type Borrowed } from './server-pool.js';

export interface ServerOptions extends PoolOptions {
  /** Id of this process among the holders of leases. */
  readonly processId: string;
  readonly metrics: PostgresMetrics;
}

/** Whether a server that answered like this may serve a read. */
export type IsGood = (isStandby: boolean, position: Position) => boolean;

const slowPrimaryMs = 5000;
const connectedSql = 'SELECT lower(application_name) AS name FROM pg_stat_replication';

/** One address of a Postgres server: its pool, and what is known of the server behind it. */
export class PostgresServer implements MeasuredServer {
  /** Host and port, for logs and metrics. */
  readonly name: string;
  /** Null: the server does not answer, or was not polled yet. */
  state: ServerState | null = null;
  /** The name that it had when it last answered. */
  memberName = '';
  /** What the server was when it last answered; null: it never did. */
  target: DatabaseTarget | null = null;
  /** The address leads to several servers (a reader endpoint, a pooler): each read asks which one it got. */
  isShared: boolean;
  /** Writes that wait to be sent together. They wait for a connection as those that the pool knows of. */
  waitingWrites = 0;
  readonly metrics: PostgresMetrics;
  private isReportedLost = false;
  private readonly connections: Connections;
  private readonly lending: ServerPool;
  private readonly probe: Probe;
  /** For what waits for the standbys, as a heartbeat does: it must not delay the probe. */
  readonly control: ControlConnection;
  private readonly reads = new Set<(error: Error) => void>();
  private readonly asks = new Batched(() => outsideOfCalls(() => this.askOnce()));
  /** The names of the standbys that are connected, in lower case. */
  readonly connected = new Batched(() => outsideOfCalls(() => this.findConnected()));

  constructor(private readonly options: ServerOptions) {
    const { hostname, port } = new URL(options.url);
    this.name = `${hostname}:${port || '5432'}`;
    this.isShared = options.config.DATABASE_POOLER;
    this.metrics = options.metrics;
    this.connections = new Connections(options, (identity) => this.compare(identity));
    this.lending = new ServerPool(
      options,
      this.connections,
      (client) => this.cancel(client),
      (client) => void watchOwing(client, this),
    );
    // When the connection breaks, what is known of the server is forgotten: another one may answer at this address next.
    this.probe = new Probe(options.url, options.config, `${options.applicationName}-probe`, (error) =>
      this.lose(error),
    );
    this.control = new ControlConnection(options.url, options.config, `${options.applicationName}-control`);
  }

  /** Reads and writes under way. */
  get outstanding(): number {
    return this.lending.outstanding;
  }

  get isUp(): boolean {
    return this.state !== null;
  }

  get pool(): PoolFigures {
    const { figures } = this.lending;
    return { ...figures, pending: figures.pending + this.waitingWrites };
  }

  /** Asks the server for its state. On return `state` is the answer to a question sent after this call; null for no answer. */
  ask(): Promise<void> {
    return this.asks.get();
  }

  /** Runs a statement on the connection of the probe, which no load on the pool can delay. */
  askOn<T extends object>(sql: string, values: unknown[] = []): Promise<T[]> {
    return this.probe.ask<T>(sql, values);
  }

  /** Runs a statement there that writes what concerns this server alone, see `Probe.write`. */
  writeOn(sql: string, values: unknown[] = []): Promise<void> {
    return this.probe.write(sql, values);
  }

  /** What a member says. @throws Error where it does not answer within a second */
  look(): Promise<MemberAnswer> {
    return this.probe.askMember();
  }

  /**
   * To be called after a commit on this server, with what it said right after it: whether the commit may be acknowledged. Null: it may.
   *
   * @throws DatabaseUnavailable where that can't be told
   */
  acknowledge(settings: CommitSettings): Promise<void> | null {
    return acknowledge(this, settings, this.options.config.DATABASE_PROMOTION === 'automatic');
  }

  /** The value of `read`; rejects with NotUsable once the server is found to be silent, and then `read` has no reader. */
  untilSilent<T>(read: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const giveUp = (error: Error) => reject(error);
      this.reads.add(giveUp);
      const done = () => this.reads.delete(giveUp);
      read.then(done, done);
      read.then(resolve, reject);
    });
  }

  /** Reads under way elsewhere are to be run on another server. */
  giveUpReads(): void {
    for (const giveUp of this.reads) giveUp(new NotUsable(`${this.name} does not answer`));
    this.reads.clear();
  }

  /**
   * Lends a connection of the primary for reads; its state is not checked.
   *
   * @throws NotUsable where the address leads to another server by now
   * @throws DeadlineExceeded
   */
  borrow<T>(work: (borrowed: Borrowed) => Promise<T>): Promise<T> {
    return this.lending.use(this.metrics.operations.read.primary, (borrowed) => {
      this.checkIdentity(borrowed.session.client);
      return work(borrowed);
    });
  }

  /**
   * The same for a write. A primary that turns out to only read is a standby by now.
   *
   * @throws NotUsable, DeadlineExceeded
   */
  async borrowForWrite<T>(work: (borrowed: Borrowed) => Promise<T>): Promise<T> {
    const operation = this.metrics.operations.write.primary;
    try {
      return await this.lending.useToWrite(operation, (borrowed) => {
        this.checkIdentity(borrowed.session.client);
        return work(borrowed);
      });
    } catch (error) {
      if (isReadOnly(error)) {
        // Its connections can't write any more.
        this.lose(error);
        this.reset();
      }
      throw error;
    }
  }

  /**
   * Runs reads on a server that is known to be good, or asks it in the same transaction. `run` gets a position that the
   * server had reached before it.
   *
   * @throws NotUsable where it is not good
   * @throws DeadlineExceeded
   */
  read<T>(isGood: IsGood, run: (session: Session, reached: Position) => Promise<T>): Promise<T> {
    const operation = this.metrics.operations.read[this.target ?? 'replica'];
    return this.lending.use(operation, ({ session }) => {
      const { state } = this;
      if (state !== null && this.isKnown(session.client)) return run(session, state.position);
      return this.runChecked(session.client, isGood, (reached) => run(session, reached));
    });
  }

  /**
   * Runs reads in one transaction, if the server is good at its beginning.
   *
   * @throws NotUsable where it is not
   * @throws DeadlineExceeded
   */
  readChecked<T>(isGood: IsGood, run: (session: Session) => Promise<T>): Promise<T> {
    return this.lending.use(this.metrics.operations.read.replica, ({ session }) =>
      this.runChecked(session.client, isGood, () => run(session)),
    );
  }

  /**
   * Runs a statement that takes little time, together with those of other calls. Null where the connection may lead to another
   * server than the one that was asked, or where that one is not good: then `read` and `borrow` tell. `isAsked`: the server is asked
   * again, in the transaction of the read.
   *
   * @throws DeadlineExceeded
   */
  async rowsTogether(
    statement: Statement,
    values: readonly unknown[],
    isGood: IsGood,
    isAsked = false,
  ): Promise<ReadAnswer> {
    if (isAsked) {
      const operation = this.metrics.operations.read.replica;
      return this.lending.rowsTogether(operation, {
        statement,
        values,
        isGood: () => true,
        isRight: isGood,
      });
    }
    if (this.isShared || this.state === null) return null;
    const operation = this.metrics.operations.read[this.target ?? 'replica'];
    const isGoodOn = (client: PostgresClient): boolean => {
      const { state } = this;
      return state !== null && this.isKnown(client) && isGood(state.isStandby, state.position);
    };
    return this.lending.rowsTogether(operation, { statement, values, isGood: isGoodOn });
  }

  /** Runs what sends the statement for a call to this server together with others, as a span of that call. */
  traced<T>(statement: Statement, ask: () => Promise<T>): Promise<T> {
    return this.lending.traced(statement, ask);
  }

  /** Forgets what was known of the server. Reads that wait for a standby are broken off, to be run elsewhere. */
  lose(error: unknown): void {
    // Also for a server that never answered: its name, certificate or password may be wrong.
    if (!this.isReportedLost)
      logger.warn({ err: error, server: this.name }, 'a database server does not answer');
    this.isReportedLost = true;
    if (this.state?.isStandby === true) this.lending.breakOff();
    else this.lending.breakOffOwing();
    this.state = null;
    this.probe.drop();
    this.control.drop();
    this.giveUpReads();
  }

  /** Closes the pool; the next use opens another one. For a server whose role has changed. */
  reset(): void {
    this.connections.reset();
  }

  async close(): Promise<void> {
    this.probe.close();
    this.control.close();
    this.lending.breakOffOwing();
    await this.connections.close();
  }

  private async findConnected(): Promise<ReadonlySet<string>> {
    const rows = await this.askOn<{ name: string }>(connectedSql);
    return new Set(rows.map(({ name }) => name));
  }

  private async askOnce(): Promise<void> {
    const askedAt = performance.now();
    try {
      const [row] = await this.probe.ask<ProbeRow>(probeSql, [this.options.processId]);
      if (row === undefined) throw new Error('no answer');
      const { standby, waiting, identified, clock, members, ...same } = row;
      this.state = {
        ...same,
        ...{ isStandby: standby, isIdentified: identified, isCommitWaiting: waiting, askedAt },
        members: members ?? {},
        clockAheadMs: clock - performance.now(),
      };
      if (!waiting) this.control.dropUnanswered(askedAt);
      this.memberName = row.name;
      this.target = standby ? 'replica' : 'primary';
      this.isReportedLost = false;
    } catch (error) {
      this.connections.doubt();
      if (this.isSlowPrimary(error, askedAt)) {
        this.probe.drop();
        this.giveUpReads();
      } else this.lose(error);
    }
  }

  /** A primary that is slow to answer is not given up at once: there is no other one to ask. */
  private isSlowPrimary(error: unknown, now: number): boolean {
    const isTimeout = error instanceof TimeoutError || isStatementTimeout(error);
    return (
      isTimeout && this.state !== null && !this.state.isStandby && now - this.state.askedAt < slowPrimaryMs
    );
  }

  private async runChecked<T>(
    client: PostgresClient,
    isGood: IsGood,
    run: (reached: Position) => Promise<T>,
  ): Promise<T> {
    const timeoutMs = this.options.config.DATABASE_STATEMENT_TIMEOUT_MS;
    // Several statements in one message: pg's types know the result of one only.
    const results = (await client.query(checkedReadSql(timeoutMs))) as unknown as { rows: ProbeRow[] }[];
    try {
      const found = results.at(-1)?.rows[0];
      if (found === undefined || !isGood(found.standby, found.position))
        throw new NotUsable(`${this.name} is behind`);
      return await run(found.position);
    } finally {
      // Also after an error: ROLLBACK and COMMIT are the same for reads.
      await client.query('ROLLBACK').catch(() => undefined);
    }
  }

  private isKnown(client: PostgresClient): boolean {
    const { state } = this;
    return !this.isShared && state !== null && this.connections.identityOf(client) === state.identity;
  }

  private checkIdentity(client: PostgresClient): void {
    if (this.isShared || this.state === null) return;
    const identity = this.connections.identityOf(client);
    if (identity === undefined || identity === this.state.identity) return;
    this.lose(new Error('the address leads to another server'));
    this.reset();
    throw new NotUsable(`${this.name} leads to another server`);
  }

  /** An address may stand for several standbys, but only for one primary. */
  private compare(identity: string): void {
    if (this.state?.isStandby === true && identity !== this.state.identity) this.isShared = true;
  }

  /** The server may still work on a statement whose connection was cut off, and hold its locks for as long as that takes. */
  private cancel(client: PostgresClient): void {
    const backend = this.isShared ? null : client.backend;
    if (backend !== null) this.askOn('SELECT pg_cancel_backend($1)', [backend]).catch(() => undefined);
  }
}
