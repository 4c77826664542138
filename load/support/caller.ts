import { Agent, request as startRequest } from 'node:http';

export interface Call {
  readonly method: 'GET' | 'POST' | 'PATCH';
  readonly path: string;
  readonly token: string;
  readonly body?: unknown;
}

/** The status of a call that got no response. */
export const broken = 0;

/** Sends calls over persistent connections and does as little as possible with the responses. */
export class Caller {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 512 });
  private readonly host: string;
  private readonly port: string;

  constructor(baseUrl: string) {
    const { hostname, port } = new URL(baseUrl);
    this.host = hostname;
    this.port = port;
  }

  /** Resolves to the status once the whole response has arrived; to `broken` if none came within ten seconds. */
  send({ method, path, token, body }: Call): Promise<number> {
    const payload = body === undefined ? '' : JSON.stringify(body);
    const headers = {
      authorization: `Bearer ${token}`,
      ...(payload !== '' && {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(payload),
      }),
    };
    const { agent, host, port } = this;
    return new Promise((resolve) => {
      const outgoing = startRequest({ agent, host, port, method, path, headers, timeout: 10_000 });
      const fail = (): void => resolve(broken);
      outgoing.on('error', fail).on('timeout', () => outgoing.destroy());
      outgoing.on('response', (answer) => {
        answer.on('error', fail).on('end', () => resolve(answer.statusCode ?? broken));
        answer.resume();
      });
      outgoing.end(payload);
    });
  }

  close(): void {
    this.agent.destroy();
  }
}
