import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Metrics } from '../metrics/metrics.js';

/**
 * The open connections of a server and how many requests each has under way. Node itself closes idle connections as
 * soon as the port is closed, just when the next request may be on its way, and takes one that never asked anything
 * for busy, so a server that stops would wait for it without end. So `end` is the only one who closes them here.
 */
export class Connections {
  private readonly requests = new Map<Socket, number>();
  private isEnding = false;
  /** Requests under way. */
  active = 0;

  constructor(
    private readonly server: Server,
    metrics: Metrics,
  ) {
    this.report(metrics);
    server.closeIdleConnections = () => undefined;
    server.on('connection', (socket: Socket) => {
      this.requests.set(socket, 0);
      socket.once('close', () => this.requests.delete(socket));
    });
    server.on('request', ({ socket }, response) => {
      this.active++;
      this.requests.set(socket, (this.requests.get(socket) ?? 0) + 1);
      response.once('close', () => this.done(socket));
    });
  }

  get open(): number {
    return this.requests.size;
  }

  /** Closes what has nothing under way, and each other connection when its last answer has gone out. */
  end(): void {
    this.isEnding = true;
    for (const [socket, count] of this.requests) if (count === 0) socket.destroy();
  }

  /** Destroys all connections, also those with requests under way. */
  destroy(): void {
    this.server.closeAllConnections();
  }

  private report(metrics: Metrics): void {
    const active = (): number => this.active;
    const open = (): number => this.open;
    metrics.gauge({
      name: 'http_server_active_requests',
      help: 'Requests under way.',
      collect() {
        this.set(active());
      },
    });
    metrics.gauge({
      name: 'http_server_open_connections',
      help: 'Connections of clients, idle ones too.',
      collect() {
        this.set(open());
      },
    });
  }

  private done(socket: Socket): void {
    this.active--;
    const count = (this.requests.get(socket) ?? 1) - 1;
    if (this.requests.has(socket)) this.requests.set(socket, count);
    if (this.isEnding && count === 0) socket.end();
  }
}
