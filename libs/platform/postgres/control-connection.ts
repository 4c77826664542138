import { failAfter } from '../async/with-timeout.js';
import { clientOptions, type ConnectionConfig } from './data-source.js';
import { PostgresClient } from './postgres-client.js';

const connectMs = 1000;
/** A commit waits for its standbys for as long as it takes: whoever ended its wait would show what nobody has confirmed. */
const answerMs = 3_600_000;
/** Where nobody has to be waited for, an answer comes sooner. */
const lostMs = 2000;

/**
 * A connection of its own for the few writes by which processes agree on the primary and its standbys. Their commits wait for the
 * standbys, so one runs at a time.
 */
export class ControlConnection {
  private connecting: Promise<PostgresClient> | null = null;
  private underWay: Promise<PostgresClient> | null = null;
  private sentAt = Infinity;
  private isClosed = false;

  constructor(
    private readonly url: string,
    private readonly config: ConnectionConfig,
    private readonly name: string,
  ) {}

  /** Runs a statement, unless one is under way. Returns whether it was run, and committed. */
  async run(sql: string, values: readonly unknown[]): Promise<boolean> {
    if (this.underWay !== null || this.isClosed) return false;
    this.connecting ??= this.connect();
    const own = this.connecting;
    this.underWay = own;
    try {
      const client = await own;
      if (this.underWay === own) this.sentAt = performance.now();
      await client.query(sql, [...values]);
      return true;
    } catch (error) {
      this.drop(own);
      throw error;
    } finally {
      // A connection that was dropped meanwhile may have a successor.
      if (this.underWay === own) this.end();
    }
  }

  /** The next statement makes a new connection. */
  drop(only = this.connecting): void {
    const old = this.connecting;
    if (old === null || old !== only) return;
    this.connecting = null;
    this.end();
    old.then(
      (client) => client.cut(),
      () => undefined,
    );
  }

  /**
   * To be called where no commit waited for a standby at that time: the answer to what was sent long before is lost, as on a path that
   * drops packets.
   */
  dropUnanswered(now: number): void {
    if (now - this.sentAt > lostMs) this.drop();
  }

  close(): void {
    this.isClosed = true;
    this.drop();
  }

  private end(): void {
    this.underWay = null;
    this.sentAt = Infinity;
  }

  private async connect(): Promise<PostgresClient> {
    const options = clientOptions(this.url, this.config, this.name);
    const client = new PostgresClient({ ...options, answerTimeoutMs: answerMs });
    try {
      await failAfter(client.connect(), connectMs, 'connecting');
      return client;
    } catch (error) {
      client.cut();
      throw error;
    }
  }
}
