import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { Gauge } from 'prom-client';
import { registry } from '../metrics/registry.js';

/** A process has one server for clients. */
let measured: Connections | null = null;
const measure = (connections: Connections): void => void (measured = connections);

new Gauge({
  name: 'http_server_active_requests',
  help: 'Requests under way.',
  registers: [registry],
  collect() {
    this.set(measured?.active ?? 0);
  },
});

new Gauge({
  name: 'http_server_open_connections',
  help: 'Connections of clients, idle ones too.',
  registers: [registry],
  collect() {
    this.set(measured?.open ?? 0);
  },
});

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

  constructor(private readonly server: Server) {
    measure(this);
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

  /** Breaks off what is still under way. */
  destroy(): void {
    this.server.closeAllConnections();
  }

  private done(socket: Socket): void {
    this.active--;
    const count = (this.requests.get(socket) ?? 1) - 1;
    if (this.requests.has(socket)) this.requests.set(socket, count);
    if (this.isEnding && count === 0) socket.end();
  }
}
