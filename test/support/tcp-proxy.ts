import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { Transform } from 'node:stream';

export interface TcpProxy {
  readonly port: number;
  /** Resets all connections, and every new one as soon as it comes. */
  cut(): void;
  /** Keeps all connections, takes new ones and forwards nothing: as if packets were lost. */
  freeze(): void;
  /** What is connected now is forwarded nothing any more, for good; new connections work: as after a loss of power. */
  abandon(): void;
  /** From now on each piece is forwarded so much later, in either direction; 0: at once. */
  slow(delayMs: number): void;
  /** Forwards again: what waited while frozen too. */
  restore(): void;
  /** How many clients are connected now. */
  connections(): number;
  stop(): Promise<void>;
}

/** A way to a server on this machine that a test can break, in the test's own process. */
export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  let state: 'open' | 'cut' | 'frozen' = 'open';
  let delayMs = 0;
  const links = new Set<Link>();
  const abandoned = new Set<Link>();
  // Half-open, so that the end of one direction is passed on and the other goes on.
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
    if (state === 'cut') {
      client.on('error', () => undefined).resetAndDestroy();
      return;
    }
    const link = new Link(client, targetPort, () => delayMs);
    links.add(link);
    client.once('close', () => {
      if (state !== 'frozen') links.delete(link);
    });
    if (state === 'open') link.open();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => {
    state = 'cut';
    for (const link of [...links, ...abandoned]) link.reset();
    links.clear();
    abandoned.clear();
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    freeze: () => {
      state = 'frozen';
      for (const link of links) link.freeze();
    },
    abandon: () => {
      for (const link of links) {
        link.freeze();
        abandoned.add(link);
      }
      links.clear();
    },
    slow: (ms) => void (delayMs = ms),
    restore: () => {
      if (state === 'frozen') for (const link of links) if (!link.open()) links.delete(link);
      state = 'open';
    },
    connections: () => links.size,
    stop: async () => {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A client's connection with ours to the server, which is made when the first is let through. */
class Link {
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

  /** @returns Whether it goes on: an end that was gone while frozen is noticed only now. */
  open(): boolean {
    this.isFlowing = true;
    if (this.client.destroyed || this.upstream?.destroyed === true) {
      this.reset();
      return false;
    }
    this.upstream ??= this.connect();
    // Pipes wait for a slow reader, so that nothing piles up here.
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

  /** The end of a connection that failed is the end of both. */
  private resetTogether(socket: Socket): void {
    socket.setNoDelay(true);
    socket.on('error', () => {
      if (this.isFlowing) this.reset();
    });
  }
}

/** Forwards each piece after the delay that counts when it comes, and keeps their order. */
const delayed = (delayMs: () => number): Transform =>
  new Transform({
    transform: (piece: Buffer, _encoding, done) => {
      const ms = delayMs();
      if (ms === 0) done(null, piece);
      else setTimeout(done, ms, null, piece);
    },
  });
