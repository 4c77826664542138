import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { makeCertificates } from './certificates.js';

export interface StoredSecret {
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly data: Readonly<Record<string, string>>;
}

/** Sends a wrong response in place of the right one; returns true once it has sent one. */
export type Interference = (
  request: IncomingMessage,
  response: ServerResponse,
  proceed: () => Promise<void>,
) => boolean | Promise<boolean>;

export interface TestKubernetesApi {
  /** The service account folder, as in a pod of the namespace `tasks`. */
  readonly env: Readonly<Record<string, string>>;
  readonly secrets: Map<string, StoredSecret>;
  /** Method and path of each call. */
  readonly calls: string[];
  interfere: Interference | null;
  stop(): Promise<void>;
}

const token = 'token-of-the-pod';
const collection = '/api/v1/namespaces/tasks/secrets';

/** The part of a Kubernetes API server that creates Secrets, over TLS with its own certificate authority. */
export async function startKubernetesApi(): Promise<TestKubernetesApi> {
  const directory = await mkdtemp(join(tmpdir(), 'kubernetes-api-test-'));
  const { caFile, certFile, keyFile } = await makeCertificates(directory);
  for (const [name, content] of Object.entries({ token, namespace: 'tasks' }))
    await writeFile(join(directory, name), content);
  const server = createServer({ cert: await readFile(certFile), key: await readFile(keyFile) });
  const api: TestKubernetesApi = {
    env: {
      KUBERNETES_SERVICE_HOST: '127.0.0.1',
      KUBERNETES_SERVICE_PORT: await listen(server),
      SERVICE_ACCOUNT_DIR: directory,
    },
    secrets: new Map(),
    calls: [],
    interfere: null,
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    api.calls.push(`${request.method} ${request.url}`);
    const proceed = (): Promise<void> => answer(api, request, response);
    void (async () => {
      if ((await api.interfere?.(request, response, proceed)) !== true) await proceed();
    })();
  });
  if (caFile !== join(directory, 'ca.crt'))
    throw new Error('The mount of a pod has its authority in ca.crt.');
  return api;
}

async function listen(server: ReturnType<typeof createServer>): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return String((server.address() as AddressInfo).port);
}

async function answer(api: TestKubernetesApi, request: IncomingMessage, response: ServerResponse) {
  const path = request.url ?? '';
  if (request.headers.authorization !== `Bearer ${token}`) send(response, 401, 'Unauthorized');
  else if (request.method === 'POST' && path === collection) {
    create(api, response, (await json(request)) as StoredSecret);
  } else if (request.method === 'GET' && path.startsWith(`${collection}/`)) {
    const found = api.secrets.get(path.slice(collection.length + 1));
    const isMetadata = request.headers.accept?.includes('as=PartialObjectMetadata') === true;
    if (found === undefined) send(response, 404, 'NotFound');
    else sendJson(response, 200, isMetadata ? { metadata: found.metadata } : found);
  } else send(response, 404, 'NotFound');
}

function create(api: TestKubernetesApi, response: ServerResponse, secret: StoredSecret): void {
  const { name } = secret.metadata;
  if (api.secrets.has(name)) {
    send(response, 409, 'AlreadyExists', `secrets "${name}" already exists`);
    return;
  }
  api.secrets.set(name, secret);
  sendJson(response, 201, secret);
}

/** A response body in the form of the API server's Status. */
export function send(response: ServerResponse, code: number, reason: string, message = reason): void {
  sendJson(response, code, { kind: 'Status', code, reason, message });
}

function sendJson(response: ServerResponse, code: number, body: unknown): void {
  response.writeHead(code, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
