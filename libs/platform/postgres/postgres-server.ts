import type { PoolClient } from 'pg';
import type { EntityManager, QueryRunner } from 'typeorm';
import { Batched } from '../async/batched.js';
import { logger } from '../logging/logger.js';
import { backendOf } from './client-connection.js';
import {
  operations,
  type DatabaseTarget,
  type MeasuredServer,
  type PoolFigures,
} from './postgres-metrics.js';
import { NotUsable } from './database-unavailable.js';
import type { Position } from '../positions/position.js';
import { Probe } from './probe.js';
import { checkedReadSql, probeSql, type ProbeRow } from './probe-sql.js';
import { ServerPool, type PoolOptions } from './server-pool.js';

/** What a server said of itself when it was last asked. */
export interface ServerState {
  readonly isStandby: boolean;
  /** At least as far it has come. */
  readonly position: Position;
  /** Which server answered: an address may stand for several, one after the other or at the same time. */
  readonly identity: string;
  /** Leases of other processes that stand, as this server knows them. */
  readonly leases: number;
  /** Before it was asked, by the monotonic clock. */
  readonly askedAt: number;
}

export interface ServerOptions extends PoolOptions {
  /** Id of this process among the holders of leases. */
  readonly processId: string;
}

/** Whether a server that answers like this may serve a read. */
export type IsGood = (isStandby: boolean, position: Position) => boolean;

const slowPrimaryMs = 5000;

/** One address of a Postgres server: its pool, and what is known of the server behind it. */
export class PostgresServer implements MeasuredServer {
  /** Host and port, for logs and metrics. */
  readonly name: string;
  /** Null: it does not answer, or has not yet been asked. */
  state: ServerState | null = null;
  /** When it was last seen as a standby that gets no WAL. */
  cutOffAt = -Infinity;
  /** What it was when it last answered; null: it never has. */
  target: DatabaseTarget | null = null;
  private isToldLost = false;
  /** Its connections lead to several servers (a reader endpoint, a pooler): each read asks whom it got. */
  isShared: boolean;
  private readonly connections: ServerPool;
  private readonly probe: Probe;
  private readonly asks = new Batched(() => this.askOnce());

  constructor(private readonly options: ServerOptions) {
    const { hostname, port } = new URL(options.url);
    this.name = `${hostname}:${port || '5432'}`;
    this.isShared = options.config.DATABASE_POOLER;
    this.connections = new ServerPool(
      options,
      (identity) => this.compare(identity),
      (client) => this.cancel(client),
    );
    // What was known of the server ends with the connection: another one may answer at this address next.
    this.probe = new Probe(options.url, options.config, `${options.applicationName}-probe`, (error) =>
      this.lose(error),
    );
  }

  /** Reads and writes under way. */
  get outstanding(): number {
    return this.connections.outstanding;
  }

  get isUp(): boolean {
    return this.state !== null;
  }

  get pool(): PoolFigures {
    return this.connections.figures;
  }

  /** Asks the server how it is. On return `state` says what it answered to a question of after the call, null for none. */
  ask(): Promise<void> {
    return this.asks.get();
  }

  /** Runs a statement on the connection that the probes use, which no load of the pool can hold up. */
  askOn<T extends object>(sql: string, values: unknown[] = []): Promise<T[]> {
    return this.probe.ask<T>(sql, values);
  }

  /**
   * Lends a connection of the primary with nothing checked.
   *
   * @throws NotUsable where the address leads to another server by now
   */
  borrow<T>(
    purpose: 'read' | 'write',
    run: (runner: QueryRunner, client: PoolClient) => Promise<T>,
  ): Promise<T> {
    return this.connections.use(operations[purpose].primary, async (runner, client) => {
      this.checkIdentity(client);
      return run(runner, client);
    });
  }

  /**
   * Runs reads on a server that is known to be good, or finds that out first.
   *
   * @throws NotUsable where it is not
   */
  read<T>(isGood: IsGood, run: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.connections.use(operations.read[this.target ?? 'replica'], async (runner, client) => {
      const isKnown =
        !this.isShared && this.state !== null && this.connections.identityOf(client) === this.state.identity;
      if (isKnown) return run(runner.manager);
      return this.readChecked(client, isGood, () => run(runner.manager));
    });
  }

  /** Forgets what was known of the server. Reads that wait for a standby are broken off, to be run elsewhere. */
  lose(error: unknown): void {
    // Also one that has never answered: it may be named, trusted or logged in to in a wrong way.
    if (!this.isToldLost) logger.warn({ err: error, server: this.name }, 'a database server does not answer');
    this.isToldLost = true;
    if (this.state?.isStandby === true) this.connections.breakOff();
    this.state = null;
    this.probe.drop();
  }

  /** Closes the pool; the next use opens another. For a server that has another role now. */
  reset(): void {
    this.connections.reset();
  }

  async close(): Promise<void> {
    this.probe.close();
    await this.connections.close();
  }

  private async askOnce(): Promise<void> {
    const askedAt = performance.now();
    try {
      const [row] = await this.probe.ask<ProbeRow>(probeSql, [this.options.processId]);
      if (row === undefined) throw new Error('no answer');
      const { standby, position, identity, leases, receiving } = row;
      this.state = { isStandby: standby, position, identity, leases, askedAt };
      this.target = standby ? 'replica' : 'primary';
      this.isToldLost = false;
      if (standby && !receiving) this.cutOffAt = askedAt;
    } catch (error) {
      this.connections.doubt();
      if (this.isSlowPrimary(error, askedAt)) this.probe.drop();
      else this.lose(error);
    }
  }

  /** A primary that is only slow to answer is not given up at once: there is no other to turn to. */
  private isSlowPrimary(error: unknown, now: number): boolean {
    const isTimeout = error instanceof Error && /timeout/i.test(error.message);
    return (
      isTimeout && this.state !== null && !this.state.isStandby && now - this.state.askedAt < slowPrimaryMs
    );
  }

  private async readChecked<T>(client: PoolClient, isGood: IsGood, run: () => Promise<T>): Promise<T> {
    const timeoutMs = this.options.config.DATABASE_STATEMENT_TIMEOUT_MS;
    // Several statements in one message: pg's types know only the result of one.
    const results = (await client.query(checkedReadSql(timeoutMs))) as unknown as { rows: ProbeRow[] }[];
    try {
      const found = results.at(-1)?.rows[0];
      if (found === undefined || !isGood(found.standby, found.position))
        throw new NotUsable(`${this.name} is behind`);
      return await run();
    } finally {
      // Also after an error: ROLLBACK and COMMIT are the same for what only read.
      await client.query('ROLLBACK').catch(() => undefined);
    }
  }

  private checkIdentity(client: PoolClient): void {
    if (this.isShared || this.state === null) return;
    const identity = this.connections.identityOf(client);
    if (identity === undefined || identity === this.state.identity) return;
    this.lose(new Error('the address leads to another server'));
    this.reset();
    throw new NotUsable(`${this.name} leads to another server`);
  }

  /** Of standbys an address may stand for several; a primary is one. */
  private compare(identity: string): void {
    if (this.state?.isStandby === true && identity !== this.state.identity) this.isShared = true;
  }

  /** It may be there and go on working: a COMMIT that waits for a standby holds its locks for as long as that takes. */
  private cancel(client: PoolClient): void {
    const backend = this.isShared ? null : backendOf(client);
    if (backend !== null) this.probe.ask('SELECT pg_cancel_backend($1)', [backend]).catch(() => undefined);
  }
}
