import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Server } from 'node:http';
import type { HttpMetrics } from './http-metrics.js';
import { problemTitle, problemType } from './problem.js';

interface Answer {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
}

const wrongVersion = {
  status: 505,
  code: 'http_version_not_supported',
  detail: 'This server speaks HTTP/1.0 and HTTP/1.1.',
};
const answers: Readonly<Record<string, Answer>> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    code: 'headers_too_large',
    detail: 'The headers are larger than is allowed.',
  },
  HPE_INVALID_VERSION: wrongVersion,
  // The first bytes of HTTP/2.
  HPE_PAUSED_H2_UPGRADE: wrongVersion,
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    code: 'request_timeout',
    detail: 'The request did not arrive in time.',
  },
};
const notTunnelled = { status: 405, code: 'method_not_allowed', detail: 'This is no proxy.' };
const unexpected = {
  status: 417,
  code: 'expectation_failed',
  detail: 'The only expectation that is met is 100-continue.',
};
const malformed = { status: 400, code: 'malformed_request', detail: 'This is not a valid HTTP request.' };

/** Node gives up on such a request before there is a request object: the problem is written to the socket. */
export const answerInvalidRequest =
  (metrics: HttpMetrics) =>
  (error: NodeJS.ErrnoException, socket: Socket): void => {
    if (!socket.writable || error.code === 'ECONNRESET') socket.destroy();
    else writeProblem(metrics, socket, answers[error.code ?? ''] ?? malformed);
  };

/** Answers with a problem what Node would answer without a body, or not at all. */
export function rejectUnsupportedRequests(server: Server, metrics: HttpMetrics): void {
  server.on('checkExpectation', ({ socket }) => {
    writeProblem(metrics, socket, unexpected);
  });
  server.on('connect', (_request, socket: Socket) => {
    writeProblem(metrics, socket, notTunnelled);
  });
}

function writeProblem(metrics: HttpMetrics, socket: Socket, { status, code, detail }: Answer): void {
  metrics.countInvalid(status);
  const title = problemTitle(status);
  const requestId = randomUUID();
  const body = JSON.stringify({
    type: problemType(code),
    title,
    status,
    detail,
    instance: '/',
    code,
    request_id: requestId,
    errors: [],
  });
  const head = [
    `HTTP/1.1 ${status} ${title}`,
    'content-type: application/problem+json',
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${requestId}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
