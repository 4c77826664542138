import { failAfter, TimeoutError } from '../async/with-timeout.js';
import { clientOptions, type ConnectionConfig } from './data-source.js';
import { PostgresClient } from './postgres-client.js';
import { memberStatements } from './probe-sql.js';
import type { MemberAnswer, MemberData, MemberRow } from './server-state.js';
import { unprepared, type Statement, type TextRow } from './statement.js';

const timeoutMs = 1000;

/**
 * A connection of its own for questions about the state of a server: no load on the pool can delay them. It connects with
 * the first question.
 */
export class Probe {
  private connecting: Promise<PostgresClient> | null = null;
  private connected: PostgresClient | null = null;
  private isClosed = false;
  /** The question that was asked last, while it is under way. */
  private last: Promise<void> | null = null;

  constructor(
    private readonly url: string,
    private readonly config: ConnectionConfig,
    private readonly name: string,
    /** Called when the connection breaks between two questions. */
    private readonly onLost: (error: Error) => void,
  ) {}

  /** Runs a statement. @throws TimeoutError after a second without an answer */
  ask<T extends object>(sql: string, values: unknown[] = []): Promise<T[]> {
    return this.run(async (client) => (await client.query<T>(sql, values)).rows);
  }

  /** What the server says as a member. Not behind a pooler, where any server may answer. @throws TimeoutError as `ask` */
  async askMember(): Promise<MemberAnswer> {
    if (this.config.DATABASE_POOLER) throw new Error('A pooler is no member.');
    const askedAt = performance.now();
    const answers = await this.run((client) => runTogether(client, memberStatements));
    const [row, data] = answers.map(([found]) => JSON.parse(found?.[0] ?? 'null') as object | null);
    if (!row || !data) throw new Error('no answer');
    return { ...(row as MemberRow), ...(data as MemberData), askedAt };
  }

  /**
   * Runs a statement that writes what concerns this server alone. Its commit waits for no standby: where they are silent, it would
   * hold up all questions behind it. @throws TimeoutError as `ask`
   */
  async write(sql: string, values: unknown[]): Promise<void> {
    await this.run((client) => runTogether(client, [waitForNoStandby, unprepared(sql)], values));
  }

  /** The next question makes a new connection. */
  drop(): void {
    const old = this.connecting;
    this.connecting = null;
    this.connected = null;
    old?.then(
      (client) => client.cut(),
      () => undefined,
    );
  }

  close(): void {
    this.isClosed = true;
    this.drop();
  }

  /** One after the other. At once where none is under way: a process that gets no CPU then finds the answer when it goes on. */
  private async run<T>(ask: (client: PostgresClient) => Promise<T>): Promise<T> {
    const before = this.last;
    let isGivenUp = false;
    const answering =
      before === null
        ? this.askNow(ask)
        : before.then(() =>
            isGivenUp ? Promise.reject(new TimeoutError('probe', timeoutMs)) : this.askNow(ask),
          );
    const last = answering.then(ignore, ignore);
    this.last = last;
    void last.then(() => {
      if (this.last === last) this.last = null;
    });
    if (before === null) return answering;
    try {
      return await failAfter(answering, timeoutMs, 'probe');
    } finally {
      isGivenUp = true;
    }
  }

  /** A connection that owes an answer is not used any more. */
  private async askNow<T>(ask: (client: PostgresClient) => Promise<T>): Promise<T> {
    if (this.isClosed) throw new Error('This process is stopping.');
    this.connecting ??= this.connect();
    const own = this.connecting;
    const client = this.connected ?? (await own);
    // Unless it was dropped meanwhile.
    if (this.connecting === own) this.connected = client;
    try {
      return await failAfter(ask(client), timeoutMs, 'probe');
    } catch (error) {
      if (error instanceof TimeoutError && this.connecting === own) this.drop();
      throw error;
    }
  }

  private async connect(): Promise<PostgresClient> {
    const client = new PostgresClient(clientOptions(this.url, this.config, this.name));
    client.on('error', (error) => {
      if (client === this.connected) this.onLost(error);
    });
    try {
      await failAfter(client.connect(), timeoutMs, 'connecting');
    } catch (error) {
      client.cut();
      throw error;
    }
    return client;
  }
}

const ignore = (): void => undefined;

// Not by a name, which a pooler would not know on another connection.
const waitForNoStandby = unprepared(`SELECT set_config('synchronous_commit', 'local', true)`);

/** The values are those of the last statement. */
function runTogether(
  client: PostgresClient,
  statements: readonly Statement[],
  values: readonly unknown[] = [],
): Promise<readonly (readonly TextRow[])[]> {
  return new Promise((resolve, reject) => {
    const answers: (readonly TextRow[])[] = [];
    const reads = statements.map((statement, n) => ({
      ...{ statement, values: n === statements.length - 1 ? values : [], fail: reject },
      answer: (rows: readonly TextRow[]) => void answers.push(rows),
    }));
    // Resolving after an error of a statement has no effect.
    client.runReads(reads, timeoutMs).then((failure) => {
      if (failure === null) resolve(answers);
      else reject(failure);
    }, reject);
  });
}
