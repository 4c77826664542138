import type { ApiResponse } from '../../support/client.js';
import type { Answer, Call, Item, Kind } from '../checker/history.js';
import { isListKind, listContentOf, listReads, listStatuses } from './list-answers.js';

interface Task {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly version: number;
}

interface Body {
  readonly code?: string;
  readonly id?: string;
  readonly title?: string;
  readonly name?: string;
  readonly version?: number;
  readonly total?: number;
  readonly data?: readonly Task[];
  readonly has_more?: boolean;
  readonly access_token?: string;
}

/** Allowed statuses of each kind of request, besides 401 for a token and 503 with `Retry-After`. */
const statuses: Readonly<Record<Kind, readonly number[]>> = {
  register: [201, 409],
  create: [201, 409],
  patch: [200, 404, 412],
  delete: [204, 404, 412],
  restore: [200, 404, 409, 412],
  get: [200, 304, 404],
  list: [200],
  stats: [200],
  'profile.get': [200],
  'profile.patch': [200, 412],
  login: [200, 401],
  refresh: [200, 401, 409],
  logout: [204],
  'logout.all': [204],
  'sessions.list': [200],
  'sessions.end': [204, 404],
  'password.change': [204, 403],
  ...listStatuses,
};

const reads = new Set<Kind>(['get', 'list', 'stats', 'profile.get', 'sessions.list', ...listReads]);
export const isRead = (kind: Kind): boolean => reads.has(kind);

/** What a client learns from a response. A 304 confirms the version that it sent. */
export function answerOf(call: Call, response: ApiResponse<unknown>, sentVersion?: number): Answer {
  const { status, headers, text } = response;
  const body = (response.body ?? {}) as Body;
  const problem = problemOf(call, response);
  return {
    outcome: outcomeOf(call, status, body.code),
    status,
    ...(problem !== null && { problem: `${problem}: ${text.slice(0, 500)}` }),
    ...(body.code !== undefined && { code: body.code }),
    ...(headers['idempotency-replayed'] === 'true' && { isReplay: true as const }),
    ...(status === 304 && sentVersion !== undefined && { version: sentVersion }),
    ...(status === 412 && versionIn(headers['etag'])),
    ...(status < 300 && (isListKind(call.kind) ? listContentOf(body) : contentOf(call.kind, body))),
  };
}

/** Codes of a 503 that say that nothing was written, of a write that is one transaction. An older build may say so wrongly. */
const nothingWritten = new Set(['database_unavailable', 'timeout', 'write_unsafe']);
const singleTransactions = new Set<Kind>(['create', 'patch', 'delete', 'restore', 'profile.patch']);

function outcomeOf({ kind, build }: Call, status: number, code = ''): Answer['outcome'] {
  if (status < 400) return 'ok';
  const hadNoEffect = build === undefined && singleTransactions.has(kind) && nothingWritten.has(code);
  return status >= 500 && !isRead(kind) && !hadNoEffect ? 'unknown' : 'failed';
}

function problemOf({ kind, session }: Call, { status, headers, body }: ApiResponse<unknown>): string | null {
  if (status === 503) return headers['retry-after'] === undefined ? 'a 503 without Retry-After' : null;
  const isLegal = statuses[kind].includes(status) || (status === 401 && session !== undefined);
  if (!isLegal) return `an answer of ${status}`;
  const hasBody = typeof body === 'object' && body !== null;
  return hasBody || status === 204 || status === 304 ? null : `an answer of ${status} without JSON`;
}

/** `"7"` of a task, `"7-u-0123abcd"` of a profile. */
function versionIn(etag: string | undefined): Pick<Answer, 'version'> {
  const version = /^"(\d+)(-(u|v[0-9a-f]{8})-[0-9a-f]{8})?"$/.exec(etag ?? '')?.[1];
  return version === undefined ? {} : { version: Number(version) };
}

function contentOf(kind: Kind, body: Body): Partial<Answer> {
  const { version, total } = body;
  switch (kind) {
    case 'create':
    case 'patch':
    case 'restore':
    case 'get':
      return {
        ...(version !== undefined && { version }),
        ...(body.title !== undefined && { value: body.title }),
        ...(body.id !== undefined && { taskId: body.id }),
      };
    case 'profile.get':
    case 'profile.patch':
      return {
        ...(version !== undefined && { version }),
        ...(body.name !== undefined && { value: body.name }),
      };
    case 'list':
      return { items: (body.data ?? []).map(itemOf), isWhole: body.has_more === false };
    case 'sessions.list':
      return { items: (body.data ?? []).map(sessionItemOf), isWhole: body.has_more === false };
    case 'stats':
      return total === undefined ? {} : { total };
    case 'login':
      return body.access_token === undefined ? {} : { opened: sessionIn(body.access_token) };
    default:
      return {};
  }
}

const itemOf = ({ id, description, version, title }: Task): Item => ({
  origin: description,
  taskId: id,
  version,
  value: title,
});

const sessionItemOf = ({ id }: Pick<Task, 'id'>): Item => ({ origin: id, taskId: id, version: 1, value: '' });

/** Claim `sid` of an access token. */
function sessionIn(accessToken: string): string {
  const payload = Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString();
  return (JSON.parse(payload) as { sid: string }).sid;
}
