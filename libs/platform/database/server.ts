import { Client, type PoolClient } from 'pg';
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import { logger } from '../logging/logger.js';
import type { Position } from './position.js';
import { DatabaseUnavailable } from './database-unavailable.js';
import { clientOptions, createDataSource, type ConnectionConfig } from './data-source.js';
import type { Persistence } from './persistence.js';
import { checkedReadSql, identitySql, probeSql, type ProbeRow } from './probe-sql.js';

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

export interface ServerOptions {
  readonly url: string;
  readonly config: ConnectionConfig;
  readonly features: readonly Persistence[];
  readonly applicationName: string;
  /** Id of this process among the holders of leases. */
  readonly processId: string;
}

/** The server answers for another one than it was taken for, or is behind: the read has to go elsewhere. */
export class NotUsable extends DatabaseUnavailable {
  constructor(reason: string) {
    super(new Error(reason));
  }
}

const probeTimeoutMs = 1000;
const slowPrimaryMs = 5000;

/** One address of a Postgres server: its pool, and what is known of the server behind it. */
export class Server {
  /** Host and port, for logs and metrics. */
  readonly name: string;
  /** Null: it does not answer, or has not yet been asked. */
  state: ServerState | null = null;
  /** Reads and writes under way, by which load is balanced. */
  outstanding = 0;
  /** When it was last seen as a standby that gets no WAL. */
  cutOffAt = -Infinity;
  /** Its connections lead to several servers (a reader endpoint, a pooler): each read asks whom it got. */
  isShared: boolean;
  private dataSource: Promise<DataSource> | null = null;
  private probe: Promise<Client> | null = null;
  private probing: Client | null = null;
  private readonly identities = new WeakMap<object, string>();
  private readonly borrowed = new Set<PoolClient>();

  constructor(private readonly options: ServerOptions) {
    const { hostname, port } = new URL(options.url);
    this.name = `${hostname}:${port || '5432'}`;
    this.isShared = options.config.DATABASE_POOLER;
  }

  get url(): string {
    return this.options.url;
  }

  /** Asks the server how it is. On return `state` says what it answered, null for no answer. */
  async ask(): Promise<void> {
    const askedAt = performance.now();
    try {
      const [row] = await this.askOn<ProbeRow>(probeSql, [this.options.processId]);
      if (row === undefined) throw new Error('no answer');
      const { standby, position, identity, leases, receiving } = row;
      this.state = { isStandby: standby, position, identity, leases, askedAt };
      if (standby && !receiving) this.cutOffAt = askedAt;
    } catch (error) {
      if (this.isSlowPrimary(error, askedAt)) this.dropProbe();
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

  private dropProbe(): void {
    const old = this.probe;
    this.probe = null;
    this.probing = null;
    old?.then(destroy, () => undefined);
  }

  /** Runs a statement on the connection that the probes use, which no load of the pool can hold up. */
  async askOn<T extends object>(sql: string, values: unknown[] = []): Promise<T[]> {
    this.probe ??= this.connectProbe();
    const { rows } = await (await this.probe).query<T>(sql, values);
    return rows;
  }

  /**
   * Lends a connection with nothing checked: for writes, and reads on what is known to be the primary.
   *
   * @throws NotUsable where the address leads to another server by now
   */
  borrow<T>(run: (runner: QueryRunner, client: PoolClient) => Promise<T>): Promise<T> {
    return this.use(async (runner, client) => {
      this.checkIdentity(client);
      return run(runner, client);
    });
  }

  /**
   * Runs reads on a server that is known to have come as far as `needed`, or finds that out first.
   *
   * @throws NotUsable where it has not
   */
  read<T>(
    isGood: (isStandby: boolean, position: Position) => boolean,
    run: (manager: EntityManager) => Promise<T>,
  ): Promise<T> {
    return this.use(async (runner, client) => {
      const isKnown =
        !this.isShared && this.state !== null && this.identities.get(client) === this.state.identity;
      if (isKnown) return run(runner.manager);
      return this.readChecked(client, isGood, () => run(runner.manager));
    });
  }

  /**
   * Forgets the server: what was known of it ends with the connection, for another one may answer at this address next.
   * Reads that wait for a standby are broken off, to be run elsewhere.
   */
  lose(error: unknown): void {
    if (this.state !== null)
      logger.warn({ err: error, server: this.name }, 'a database server does not answer');
    if (this.state?.isStandby === true) for (const client of this.borrowed) destroy(client);
    this.state = null;
    this.dropProbe();
  }

  /** Closes the pool; the next use opens another. For a server that has another role now. */
  reset(): void {
    const old = this.dataSource;
    this.dataSource = null;
    old?.then((dataSource) => dataSource.destroy()).catch(() => undefined);
  }

  async close(): Promise<void> {
    this.dropProbe();
    const dataSource = await this.dataSource?.catch(() => null);
    this.dataSource = null;
    await dataSource?.destroy();
  }

  /** Size of the pool and what it does, for metrics. */
  async pool(): Promise<{ total: number; idle: number; waiting: number } | null> {
    const dataSource = await this.dataSource?.catch(() => null);
    if (!dataSource?.isInitialized) return null;
    const { totalCount, idleCount, waitingCount } = (dataSource.driver as unknown as { master: Pool }).master;
    return { total: totalCount, idle: idleCount, waiting: waitingCount };
  }

  private async use<T>(run: (runner: QueryRunner, client: PoolClient) => Promise<T>): Promise<T> {
    this.outstanding++;
    let runner: QueryRunner | undefined;
    let client: PoolClient | undefined;
    try {
      runner = (await this.open()).createQueryRunner();
      client = (await runner.connect()) as PoolClient;
      this.borrowed.add(client);
      return await run(runner, client);
    } catch (error) {
      // What no answer came on is not lent again: after a loss of power nobody tells us that the other end is gone.
      if (client !== undefined && isReadTimeout(error)) destroy(client);
      throw error;
    } finally {
      this.outstanding--;
      if (client !== undefined) this.borrowed.delete(client);
      await runner?.release();
    }
  }

  private async readChecked<T>(
    client: PoolClient,
    isGood: (isStandby: boolean, position: Position) => boolean,
    run: () => Promise<T>,
  ): Promise<T> {
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
    const identity = this.identities.get(client);
    if (identity === undefined || identity === this.state.identity) return;
    this.lose(new Error('the address leads to another server'));
    this.reset();
    throw new NotUsable(`${this.name} leads to another server`);
  }

  private open(): Promise<DataSource> {
    if (this.dataSource !== null) return this.dataSource;
    const { url, config, features, applicationName } = this.options;
    const opening = createDataSource(url, config, features, applicationName, (client) =>
      this.identify(client),
    ).initialize();
    this.dataSource = opening;
    opening.catch(() => {
      if (this.dataSource === opening) this.dataSource = null;
    });
    return opening;
  }

  /** Notes which server a new connection of the pool leads to. */
  private async identify(client: PoolClient): Promise<void> {
    const { rows } = await client.query<{ identity: string; standby: boolean }>(identitySql);
    const [row] = rows;
    if (row === undefined) return;
    this.identities.set(client, row.identity);
    const isOther = this.state !== null && this.state.isStandby && row.identity !== this.state.identity;
    if (isOther) this.isShared = true;
  }

  private async connectProbe(): Promise<Client> {
    const { url, config, applicationName } = this.options;
    const client = new Client({
      ...clientOptions(url, config, `${applicationName}-probe`),
      connectionTimeoutMillis: probeTimeoutMs,
      query_timeout: probeTimeoutMs,
    });
    // What breaks while nothing is asked shows at once: whatever was known of the server ends with the connection.
    client.on('error', (error) => {
      if (client === this.probing) this.lose(error);
    });
    await client.connect();
    this.probing = client;
    return client;
  }
}

interface Pool {
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
}

const isReadTimeout = (error: unknown): boolean =>
  error instanceof Error && /Query read timeout/.test(error.message);

/** Without the farewell of the protocol, for which a server that is gone never answers. */
function destroy(client: Client | PoolClient): void {
  const { connection } = client as unknown as { connection?: { stream?: { destroy(): void } } };
  connection?.stream?.destroy();
}
