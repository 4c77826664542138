import type { FastifyInstance } from 'fastify';
import type { Consistency } from '../consistency/consistency.js';
import type { ConsistencyTokens } from '../consistency/consistency-token.js';
import { scopeOf } from '../context/consistency-view.js';

/** Gives the client a token for what it wrote, and takes away a intent that the request had no use for. */
export function followRequests(
  fastify: FastifyInstance,
  consistency: Consistency,
  tokens: ConsistencyTokens,
): void {
  fastify.addHook('onSend', (request, reply, _payload, done) => {
    const view = scopeOf(request)?.view;
    if (view !== undefined && view.written !== null)
      void reply.header('consistency-token', tokens.issue(view.userId, view.written));
    done();
  });
  fastify.addHook('onResponse', (request, _reply, done) => {
    const intent = scopeOf(request)?.view?.dropIntent();
    if (intent !== undefined) consistency.store?.finish(intent, null).catch(() => undefined);
    done();
  });
}
