import { jest } from '@jest/globals';
import { fastify } from 'fastify';
import { ServiceUnavailable } from '../errors/common-errors.js';
import { logger } from '../logging/logger.js';
import { sendProblem } from './send-problem.js';

const full = (code: string) => new ServiceUnavailable('Try again.', { code, retryAfterSeconds: 2 });

/** A server that fails with these errors, one after the other. */
function failingWith(...errors: Error[]) {
  const server = fastify();
  const codes: (string | undefined)[] = [];
  server.setErrorHandler(sendProblem);
  server.addHook('onResponse', (request, _reply, done) => {
    codes.push(request.problemCode);
    done();
  });
  server.get('/', () => Promise.reject(errors.shift() ?? new Error('No more errors')));
  return { call: async () => (await server.inject('/')).statusCode, codes };
}

const warn = jest.spyOn(logger, 'warn').mockReturnValue(undefined);
const error = jest.spyOn(logger, 'error').mockReturnValue(undefined);
const now = jest.spyOn(performance, 'now').mockReturnValue(10_000);

beforeEach(() => jest.clearAllMocks());
afterAll(() => jest.restoreAllMocks());

it('logs the first 503 of each code within a second, and every code for the line of its request', async () => {
  const { call, codes } = failingWith(full('one'), full('one'), full('two'), full('one'));
  expect([await call(), await call(), await call()]).toEqual([503, 503, 503]);
  expect(warn).toHaveBeenCalledTimes(2);
  now.mockReturnValue(11_000);
  await call();
  expect(warn).toHaveBeenCalledTimes(3);
  expect(codes).toEqual(['one', 'one', 'two', 'one']);
});

it('logs every 500', async () => {
  const { call, codes } = failingWith(new Error('a bug'), new Error('a bug'));
  expect([await call(), await call()]).toEqual([500, 500]);
  expect(error).toHaveBeenCalledTimes(2);
  expect(codes).toEqual(['internal_error', 'internal_error']);
});
