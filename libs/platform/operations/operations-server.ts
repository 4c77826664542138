import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { logger } from '../logging/logger.js';
import type { Health } from '../lifecycle/health.js';
import { watchEventLoop } from '../metrics/event-loop.js';
import { expose } from '../metrics/exposition.js';
import type { Metrics } from '../metrics/metrics.js';

/** Node looks at the time-outs once in an interval, by default 30 s. */
const timeouts = { requestTimeout: 10_000, headersTimeout: 5_000, connectionsCheckingInterval: 1000 };

type Answer = { status: number; type: string; body: string };
const text = (isGood: boolean, body: string): Answer => ({
  status: isGood ? 200 : 503,
  type: 'text/plain',
  body,
});

/** The operations port: probes and metrics, GET only, apart from the public one and up before everything else. */
export class OperationsServer {
  private readonly server: Server;
  private readonly endWatch: () => void;

  constructor(
    private readonly health: Health,
    private readonly metrics: Metrics,
  ) {
    this.endWatch = watchEventLoop(metrics);
    this.server = createServer(timeouts, (request, response) => {
      this.handle(request, response).catch((error: unknown) => {
        logger.error({ err: error }, 'an operations request failed');
        response.writeHead(500).end();
      });
    });
  }

  /** Resolves to the port that it got (for port 0). */
  async listen(host: string, port: number): Promise<number> {
    this.server.listen(port, host);
    await once(this.server, 'listening');
    return (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.endWatch();
    if (!this.server.listening) return;
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    await closed;
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'GET') {
      response.writeHead(405, { allow: 'GET' }).end();
      return;
    }
    const { status, type, body } = await this.answer(
      request.url?.split('?', 1)[0] ?? '/',
      request.headers.accept,
    );
    response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
  }

  private async answer(path: string, accept?: string): Promise<Answer> {
    switch (path) {
      case '/livez':
        return text(true, 'live\n');
      case '/readyz':
        return text(this.health.isReady, this.health.isReady ? 'ready\n' : 'not ready\n');
      case '/startupz':
        return text(this.health.isStarted, this.health.isStarted ? 'started\n' : 'starting\n');
      case '/metrics':
        return { status: 200, ...(await expose(this.metrics.registry, accept)) };
      default:
        return { status: 404, type: 'text/plain', body: 'not found\n' };
    }
  }
}
