import type { OutgoingHttpHeaders } from 'node:http';
import type { ApiResponse } from '../../support/client.js';
import { answerOf, isRead } from './answers.js';
import type { ApiProcess } from '../cluster/api-process.js';
import type { Answer, Call, History, Kind } from '../checker/history.js';
import type { Device, Session, User } from './users.js';

export interface Request {
  readonly kind: Kind;
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: OutgoingHttpHeaders;
  /** Sent with its access token. */
  readonly session?: Session | undefined;
  readonly target?: string;
  readonly group?: string;
  readonly ifMatch?: number | undefined;
  readonly ifNoneMatch?: number | undefined;
  readonly filter?: string | undefined;
  readonly list?: string;
  readonly member?: string;
}

export interface Called extends Answer {
  /** The unparsed body; null if no response came. */
  readonly response: ApiResponse<unknown> | null;
}

const timeoutMs = 6000;

/** Sends requests and records each request and response in the history. */
export class Caller {
  private readonly history: History;

  constructor(history: History) {
    this.history = history;
  }

  async call(user: User, device: Device, process: ApiProcess, request: Request): Promise<Called> {
    if (isRead(request.kind)) return this.send(user, device, process, request);
    return user.inTurn(() => this.send(user, device, process, request));
  }

  private async send(user: User, device: Device, process: ApiProcess, request: Request): Promise<Called> {
    const { kind, session, target, group, ifMatch, filter, list, member } = request;
    const call: Call = {
      user: user.name,
      client: device.name,
      process: process.name,
      ...(process.build !== null && { build: process.build.name }),
      kind,
      ...(session !== undefined && { session: session.id }),
      ...(target !== undefined && { target }),
      ...(group !== undefined && { group }),
      ...(ifMatch !== undefined && { ifMatch }),
      ...(filter !== undefined && { filter }),
      ...(list !== undefined && { list }),
      ...(member !== undefined && { member }),
    };
    let response: ApiResponse<unknown> | null = null;
    const answer = await this.history.record(call, async () => {
      try {
        response = await ask(user, process, request);
        return answerOf(call, response, request.ifNoneMatch);
      } catch (error) {
        return unanswered(kind, error);
      }
    });
    const called = { ...answer, response };
    learn(user, device, request, called);
    return called;
  }
}

function learn(user: User, device: Device, { session }: Request, { status, response }: Called): void {
  const token = response?.headers['consistency-token'];
  if (user.sendsTokens && token !== undefined) user.token = token;
  // Another device has ended the session, so this one logs in again.
  if (status === 401 && session !== undefined && session === device.session) device.session = null;
}

function ask(user: User, process: ApiProcess, request: Request): Promise<ApiResponse<unknown>> {
  const { method, path, body, session, ifMatch, ifNoneMatch } = request;
  const headers = {
    ...(user.token !== null && { 'consistency-token': user.token }),
    ...(ifMatch !== undefined && { 'if-match': etagOf(user, request.kind, ifMatch) }),
    ...(ifNoneMatch !== undefined && { 'if-none-match': etagOf(user, request.kind, ifNoneMatch) }),
    ...request.headers,
  };
  return process.client.request<unknown>(method, path, {
    headers,
    timeoutMs,
    ...(body !== undefined && { body }),
    ...(session !== undefined && { token: session.accessToken }),
  });
}

const etagOf = (user: User, kind: Kind, version: number): string =>
  kind.startsWith('profile') ? `"${version}-u-${user.id.slice(-8)}"` : `"${version}"`;

/** Invalid JSON is an error of the API; after a broken connection or a timeout, the outcome is unknown. */
function unanswered(kind: Kind, error: unknown): Answer {
  const outcome = isRead(kind) ? 'failed' : 'unknown';
  return error instanceof SyntaxError ? { outcome, problem: `broken JSON: ${error.message}` } : { outcome };
}
