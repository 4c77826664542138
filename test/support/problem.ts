import { expect } from '@jest/globals';
import type { ApiResponse } from './client.js';

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly code: string;
  readonly request_id: string;
  readonly errors?: readonly { readonly pointer: string; readonly code: string; readonly message: string }[];
}

/** Asserts that the response is a problem (RFC 9457) with every member that the API's problems have, and returns it. */
export function expectProblem(response: ApiResponse<unknown>, status: number, code?: string): Problem {
  // One assertion, so that a failure shows the whole response.
  expect({ status: response.status, body: response.body }).toEqual({
    status,
    body: expect.objectContaining({
      type: expect.any(String),
      title: expect.any(String),
      status,
      detail: expect.any(String),
      instance: expect.any(String),
      code: code ?? expect.any(String),
      request_id: response.headers['x-request-id'] ?? expect.any(String),
    }),
  });
  expect(response.headers['content-type']).toMatch(/^application\/problem\+json\b/);
  return response.body as Problem;
}
