import { createHash } from 'node:crypto';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { IdempotentCall } from '../database/idempotency.js';
import { MalformedRequest } from '../errors/common-errors.js';
import { declareIdempotent } from './endpoint.js';

/** The call's `Idempotency-Key`, as a handler's parameter; null where the client sent none. */
export function IdempotencyKey(): ParameterDecorator {
  return (controller, name, index) => {
    keyOf()(controller, name, index);
    declareIdempotent((controller as Record<PropertyKey, object>)[name ?? ''] ?? controller);
  };
}

const keyOf = createParamDecorator((_: unknown, context: ExecutionContext): IdempotentCall | null => {
  const { headers, user, method, url, body } = context.getArgByIndex<FastifyRequest>(0);
  const key = headers['idempotency-key'];
  if (key === undefined || user === undefined) return null;
  if (typeof key !== 'string' || !/^[\x21-\x7E]{1,255}$/.test(key)) {
    throw new MalformedRequest(
      'Idempotency-Key takes 1 to 255 printable ASCII characters.',
      'malformed_idempotency_key',
    );
  }
  const content = JSON.stringify([method, url, body ?? null]);
  return { userId: user.userId, key, fingerprint: createHash('sha256').update(content).digest() };
});
