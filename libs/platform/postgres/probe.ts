import { Client } from 'pg';
import { failAfter } from '../async/with-timeout.js';
import { destroy } from './client-connection.js';
import { clientOptions, type ConnectionConfig } from './data-source.js';

const timeoutMs = 1000;

/** A connection of its own to a server, to ask how it is: no load of the pool can hold it up. It connects when asked. */
export class Probe {
  private connecting: Promise<Client> | null = null;
  private connected: Client | null = null;
  private isClosed = false;

  constructor(
    private readonly url: string,
    private readonly config: ConnectionConfig,
    private readonly name: string,
    /** The connection broke while nothing was asked. */
    private readonly onLost: (error: Error) => void,
  ) {}

  /** Runs a statement; rejects after a second without an answer. */
  async ask<T extends object>(sql: string, values: unknown[] = []): Promise<T[]> {
    if (this.isClosed) throw new Error('This process is stopping.');
    this.connecting ??= this.connect();
    const client = await this.connecting;
    const { rows } = await failAfter(client.query<T>(sql, values), timeoutMs);
    return rows;
  }

  /** The next question makes a new connection. */
  drop(): void {
    const old = this.connecting;
    this.connecting = null;
    this.connected = null;
    old?.then(destroy, () => undefined);
  }

  close(): void {
    this.isClosed = true;
    this.drop();
  }

  private async connect(): Promise<Client> {
    const client = new Client({
      ...clientOptions(this.url, this.config, this.name),
      connectionTimeoutMillis: timeoutMs,
    });
    client.on('error', (error) => {
      if (client === this.connected) this.onLost(error);
    });
    await client.connect();
    this.connected = client;
    return client;
  }
}
