import { Agent, request as startRequest } from 'node:http';

export interface Call {
  readonly method: string;
  readonly path: string;
  /** Empty: none. */
  readonly token: string;
  readonly body?: unknown;
  /** Sent as it is, in place of `body`. */
  readonly raw?: string | Buffer;
}

/** The status of a call that got no response. */
export const broken = 0;

/** Sends calls over persistent connections and does as little as possible with the responses. */
export class Caller {
  private readonly agent: Agent;
  private readonly host: string;
  private readonly port: string;

  /** `localAddress`: where it calls from; on Linux, all of 127.0.0.0/8 belongs to this machine. */
  constructor(baseUrl: string, localAddress?: string) {
    this.agent = new Agent({
      keepAlive: true,
      maxSockets: 512,
      ...(localAddress !== undefined && { localAddress }),
    });
    const { hostname, port } = new URL(baseUrl);
    this.host = hostname;
    this.port = port;
  }

  /** Resolves to the status once the whole response has arrived; to `broken` if none came within ten seconds. */
  send({ method, path, token, body, raw }: Call): Promise<number> {
    const payload: string | Buffer = raw ?? (body === undefined ? '' : JSON.stringify(body));
    const headers = {
      ...(token !== '' && { authorization: `Bearer ${token}` }),
      ...(payload.length > 0 && {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(payload),
      }),
    };
    const { agent, host, port } = this;
    return new Promise((resolve) => {
      const outgoing = startRequest({ agent, host, port, method, path, headers, timeout: 20_000 });
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
