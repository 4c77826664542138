import { randomBytes } from 'node:crypto';
import { Agent, request as startRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { request as startSecureRequest } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { recorded } from './recorded-answers.js';

export interface ApiRequest {
  /** Sent as a bearer token. */
  readonly token?: string;
  readonly headers?: OutgoingHttpHeaders;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent unchanged in place of JSON; the caller sets the content type. */
  readonly raw?: string | Buffer;
  readonly timeoutMs?: number;
}

export interface ApiResponse<T = Json> {
  readonly status: number;
  /** Names in lower case; several values of one name are joined with a comma. */
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed if the response is JSON, else null. The type is what the caller expects; assertions verify it. */
  readonly body: T;
  readonly text: string;
}

/** A response body whose shape the test has not verified yet. */
export interface Json {
  readonly [member: string]: JsonValue;
}
export type JsonValue =
  string | number | boolean | null | readonly JsonValue[] | { readonly [member: string]: JsonValue };

export interface Session {
  readonly email: string;
  readonly password: string;
  readonly userId: string;
  readonly accessToken: string;
  readonly refreshToken: string;
}

export interface Registration {
  readonly email: string;
  readonly password: string;
  readonly name: string;
  readonly timezone: string;
}

export interface Client {
  readonly baseUrl: string;
  request<T = Json>(method: string, path: string, options?: ApiRequest): Promise<ApiResponse<T>>;
  /** Creates an account by the real routes. */
  registerAndLogin(overrides?: Partial<Registration>): Promise<Session>;
  login(email: string, password: string): Promise<Pick<Session, 'accessToken' | 'refreshToken'>>;
  /** Closes its connections. Idle connections do not keep the process alive. */
  close(): void;
}

/**
 * A client of the API at that address; default: the API of the suite. It may use another source address: on Linux, all
 * of 127.0.0.0/8 belongs to this machine.
 */
export function client(baseUrl = sharedApiUrl(), localAddress?: string): Client {
  const from = localAddress === undefined ? {} : { localAddress };
  const agent = new Agent({ keepAlive: true, maxSockets: 64, ...from });
  const request = <T = Json>(
    method: string,
    path: string,
    options: ApiRequest = {},
  ): Promise<ApiResponse<T>> =>
    recorded({ method, path, options }, () => send<T>(agent, new URL(path, baseUrl), method, options));
  const login: Client['login'] = async (email, password) => {
    const { body } = await expectStatus(
      200,
      request<Tokens>('POST', '/v1/auth/login', { body: { email, password } }),
    );
    return { accessToken: body.access_token, refreshToken: body.refresh_token };
  };
  const registerAndLogin: Client['registerAndLogin'] = async (overrides) => {
    const body = newRegistration(overrides);
    const { email, password } = body;
    const user = await expectStatus(201, request<{ id: string }>('POST', '/v1/auth/register', { body }));
    return { email, password, userId: user.body.id, ...(await login(email, password)) };
  };
  return { baseUrl, request, registerAndLogin, login, close: () => agent.destroy() };
}

interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
}

/** Values for a new account, unique to it. */
export function newRegistration(overrides: Partial<Registration> = {}): Registration {
  const unique = randomBytes(8).toString('hex');
  const defaults = { password: `correct horse ${unique}`, name: 'Ada Lovelace', timezone: 'Europe/Berlin' };
  return { email: `ada.${unique}@example.com`, ...defaults, ...overrides };
}

async function expectStatus<T>(status: number, pending: Promise<ApiResponse<T>>): Promise<ApiResponse<T>> {
  const response = await pending;
  if (response.status !== status) {
    throw new Error(`Expected ${status}, got ${response.status}: ${response.text.slice(0, 1000)}`);
  }
  return response;
}

/** Uses node:http, because fetch changes some headers and hides broken connections. */
async function send<T>(agent: Agent, url: URL, method: string, options: ApiRequest): Promise<ApiResponse<T>> {
  const payload = options.raw ?? (options.body === undefined ? undefined : JSON.stringify(options.body));
  const headers = { ...defaultHeaders(options, payload), ...options.headers };
  const signal = AbortSignal.timeout(options.timeoutMs ?? 20_000);
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const secure = url.protocol === 'https:';
    const start = secure ? startSecureRequest : startRequest;
    const outgoing = start(url, { method, headers, signal, ...(secure ? {} : { agent }) }, resolve);
    outgoing.on('error', reject).end(payload);
  });
  const text = (await buffer(response)).toString('utf8');
  return {
    status: response.statusCode ?? 0,
    headers: flatten(response),
    body: parse(response, text) as T,
    text,
  };
}

function defaultHeaders(
  { token, raw }: ApiRequest,
  payload: string | Buffer | undefined,
): OutgoingHttpHeaders {
  return {
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(payload === undefined ? {} : { 'content-length': Buffer.byteLength(payload) }),
    ...(payload === undefined || raw !== undefined ? {} : { 'content-type': 'application/json' }),
  };
}

function flatten({ headers }: IncomingMessage): Readonly<Record<string, string>> {
  const entries = Object.entries(headers).map(([name, value]) => [name, String(value)] as const);
  return Object.fromEntries(entries);
}

function parse({ headers }: IncomingMessage, text: string): unknown {
  if (!/^application\/([\w.-]+\+)?json\b/i.test(headers['content-type'] ?? '') || text === '') return null;
  return JSON.parse(text);
}

function sharedApiUrl(): string {
  const url = process.env['TEST_API_URL'];
  if (url === undefined) throw new Error('TEST_API_URL is not set: run this suite by npm test.');
  return url;
}
