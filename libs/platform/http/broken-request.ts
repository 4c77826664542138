import type { Socket } from 'node:net';
import { STATUS_CODES } from 'node:http';
import { uuidv7 } from '../database/uuid.js';

const answers: Readonly<Record<string, { status: number; code: string; detail: string }>> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    code: 'headers_too_large',
    detail: 'The headers are larger than is allowed.',
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    code: 'request_timeout',
    detail: 'The request did not arrive in time.',
  },
};
const malformed = { status: 400, code: 'malformed_request', detail: 'This is not a valid HTTP request.' };

/** Node gives up on such a request before there is a request object: the problem is written to the socket. */
export function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const { status, code, detail } = answers[error.code ?? ''] ?? malformed;
  const title = STATUS_CODES[status] ?? 'Error';
  const requestId = uuidv7();
  const type = `urn:task-api:problem:${code}`;
  const body = JSON.stringify({
    type,
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
