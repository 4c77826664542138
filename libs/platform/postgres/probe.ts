import { failAfter } from '../async/with-timeout.js';
import { clientOptions, type ConnectionConfig } from './data-source.js';
import { PostgresClient } from './postgres-client.js';

const timeoutMs = 1000;

/**
 * A connection of its own for questions about the state of a server: no load on the pool can delay them. It connects with
 * the first question.
 */
export class Probe {
  private connecting: Promise<PostgresClient> | null = null;
  private connected: PostgresClient | null = null;
  private isClosed = false;

  constructor(
    private readonly url: string,
    private readonly config: ConnectionConfig,
    private readonly name: string,
    /** Called when the connection breaks between two questions. */
    private readonly onLost: (error: Error) => void,
  ) {}

  /** Runs a statement. @throws TimeoutError after a second without an answer */
  async ask<T extends object>(sql: string, values: unknown[] = []): Promise<T[]> {
    if (this.isClosed) throw new Error('This process is stopping.');
    this.connecting ??= this.connect();
    const client = await this.connecting;
    const { rows } = await failAfter(client.query<T>(sql, values), timeoutMs, 'probe');
    return rows;
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
    this.connected = client;
    return client;
  }
}
