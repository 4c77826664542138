import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { Transform } from 'node:stream';

export interface TcpProxy {
  readonly port: number;
  /** Resets all connections, and every new one at once. */
  cut(): void;
  /** Keeps all connections and accepts new ones, but forwards nothing, as if packets were lost. */
  freeze(): void;
  /** Current connections never forward anything again; new connections work, as after a power loss of the server. */
  abandon(): void;
  /** Delays each chunk by this much, in both directions; 0: no delay. */
  slow(delayMs: number): void;
  /** Forwards again, including what arrived while frozen. */
  restore(): void;
  /** The number of connected clients. */
  connections(): number;
  stop(): Promise<void>;
}

/** Starts a proxy in the test's own process, in front of a server on this machine, so that a test can break the connection. */
export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  let state: 'open' | 'cut' | 'frozen' = 'open';
  let delayMs = 0;
  const connections = new Set<ProxiedConnection>();
  const abandoned = new Set<ProxiedConnection>();
  // Half-open, so that the end of one direction is passed on while the other direction stays open.
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
    if (state === 'cut') {
      client.on('error', () => undefined).resetAndDestroy();
      return;
    }
    const connection = new ProxiedConnection(client, targetPort, () => delayMs);
    connections.add(connection);
    client.once('close', () => {
      if (state !== 'frozen') connections.delete(connection);
    });
    if (state === 'open') connection.open();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => {
    state = 'cut';
    for (const connection of [...connections, ...abandoned]) connection.reset();
    connections.clear();
    abandoned.clear();
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    freeze: () => {
      state = 'frozen';
      for (const connection of connections) connection.freeze();
    },
    abandon: () => {
      for (const connection of connections) {
        connection.freeze();
        abandoned.add(connection);
      }
      connections.clear();
    },
    slow: (ms) => void (delayMs = ms),
    restore: () => {
      if (state === 'frozen')
        for (const connection of connections) if (!connection.open()) connections.delete(connection);
      state = 'open';
    },
    connections: () => connections.size,
    stop: async () => {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A client's connection and the proxy's connection to the server, which is opened when the client is first let through. */
class ProxiedConnection {
  private readonly client: Socket;
  private readonly targetPort: number;
  private readonly request: Transform;
  private readonly answer: Transform;
  private upstream: Socket | null = null;
  private isFlowing = false;

  constructor(client: Socket, targetPort: number, delayMs: () => number) {
    this.client = client;
    this.targetPort = targetPort;
    this.request = delayed(delayMs);
    this.answer = delayed(delayMs);
    this.answer.pipe(client);
    this.resetTogether(client);
  }

  /** @returns Whether both ends are still connected: an end that closed while frozen is noticed only now. */
  open(): boolean {
    this.isFlowing = true;
    if (this.client.destroyed || this.upstream?.destroyed === true) {
      this.reset();
      return false;
    }
    this.upstream ??= this.connect();
    // Pipes apply backpressure, so that nothing accumulates here.
    this.client.pipe(this.request);
    this.upstream.pipe(this.answer);
    return true;
  }

  freeze(): void {
    this.isFlowing = false;
    if (this.upstream === null) return;
    this.client.unpipe(this.request);
    this.upstream.unpipe(this.answer);
  }

  reset(): void {
    this.client.resetAndDestroy();
    this.upstream?.resetAndDestroy();
  }

  private connect(): Socket {
    const upstream = connect({ port: this.targetPort, host: '127.0.0.1', allowHalfOpen: true });
    this.resetTogether(upstream);
    this.request.pipe(upstream);
    return upstream;
  }

  /** When one connection fails, both are reset. */
  private resetTogether(socket: Socket): void {
    socket.setNoDelay(true);
    socket.on('error', () => {
      if (this.isFlowing) this.reset();
    });
  }
}

/** Forwards each chunk after the delay that is set when it arrives, and keeps the order. */
const delayed = (delayMs: () => number): Transform =>
  new Transform({
    transform: (piece: Buffer, _encoding, done) => {
      const ms = delayMs();
      if (ms === 0) done(null, piece);
      else setTimeout(done, ms, null, piece);
    },
  });
