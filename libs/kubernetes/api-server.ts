import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { logger } from '../platform/logging/logger.js';

/** Where a pod finds the API server, and the files by which it trusts it and is known to it. */
export interface ApiServerAddress {
  readonly host: string;
  readonly port: number;
  /** Mount of the service account: `ca.crt`, `token`, `namespace`. */
  readonly serviceAccountDirectory: string;
}

export interface ApiServerAnswer {
  readonly status: number;
  /** Of an error, `reason` and `message` say more than the status. */
  readonly body: Readonly<Record<string, unknown>>;
}

const attempts = 6;
const firstWaitMs = 500;
const maxWaitMs = 10_000;
const timeoutMs = 10_000;

/** The Kubernetes API server, as a pod with a service account reaches it. */
export class ApiServer {
  constructor(private readonly address: ApiServerAddress) {}

  /** The namespace of this pod. */
  async namespace(): Promise<string> {
    return (await this.read('namespace')).trim();
  }

  /**
   * One call. Where the server is away, overloaded or has an error of its own, it is tried again: for 15 s where it
   * refuses at once, for less than 2 minutes where it says nothing or asks for longer waits. Whoever creates something
   * must expect that an earlier try has done it already.
   *
   * @returns an answer below 500 that is not 429, whatever it says
   * @throws Error where there was none
   */
  async call(method: 'GET' | 'POST', path: string, body?: unknown): Promise<ApiServerAnswer> {
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.attempt(method, path, body).catch((error: unknown) => ({ error }));
      if ('status' in outcome && outcome.status < 500 && outcome.status !== 429) return outcome;
      const failure =
        'status' in outcome ? describeAnswer(method, path, outcome) : `${method} ${path} got no answer`;
      const cause = 'error' in outcome ? outcome.error : undefined;
      if (attempt === attempts) throw new Error(failure, { cause });
      logger.warn({ err: cause, attempt }, `${failure}; it is tried again`);
      await sleep(waitMs(attempt, 'status' in outcome ? outcome.retryAfter : undefined));
    }
  }

  private async attempt(method: string, path: string, body: unknown) {
    // Read each time: the kubelet renews the token.
    const [ca, token] = await Promise.all([this.read('ca.crt'), this.read('token')]);
    const { host, port } = this.address;
    const content = body === undefined ? undefined : JSON.stringify(body);
    const headers = {
      // Of what is there already only the metadata is sent.
      accept:
        method === 'GET'
          ? 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1'
          : 'application/json',
      authorization: `Bearer ${token.trim()}`,
      ...(content !== undefined && {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(content),
      }),
    };
    return new Promise<ApiServerAnswer & { readonly retryAfter: string | undefined }>((resolve, reject) => {
      // A connection of its own, so that none is left to keep the process; no SNI for an address (RFC 6066).
      const connection = { host, port, ca, agent: false, ...(isIP(host) === 0 && { servername: host }) };
      const signal = AbortSignal.timeout(timeoutMs);
      const call = request({ ...connection, method, path, headers, signal }, (response) => {
        const { statusCode: status = 0, headers: answered } = response;
        text(response).then(
          (answer) => resolve({ status, body: parse(answer), retryAfter: answered['retry-after'] }),
          reject,
        );
      });
      call.on('error', reject).end(content);
    });
  }

  private read(name: string): Promise<string> {
    return readFile(join(this.address.serviceAccountDirectory, name), 'utf8');
  }
}

export function describeAnswer(method: string, path: string, { status, body }: ApiServerAnswer): string {
  const message = typeof body['message'] === 'string' ? `: ${body['message']}` : '';
  return `The API server answered ${method} ${path} with ${status}${message}`;
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    // A proxy's page; the status says enough.
    return {};
  }
}

function waitMs(attempt: number, retryAfter: string | undefined): number {
  const asked = Number(retryAfter) * 1000;
  const own = firstWaitMs * 2 ** (attempt - 1);
  return Math.min(Number.isFinite(asked) ? Math.max(asked, own) : own, maxWaitMs);
}
