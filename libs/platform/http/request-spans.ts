import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isSilent, methodOf, routeOf } from './route-of.js';
import { activeTracer, type Attributes, type ServerSpan, type SpanDescription } from '../telemetry/tracer.js';

const spans = new WeakMap<object, ServerSpan>();

/** A span a request, which continues its caller's trace. To be called before other hooks, so that they belong to it. */
export function traceRequests(fastify: FastifyInstance): void {
  const tracer = activeTracer();
  if (tracer === null) return;
  fastify.addHook('onRequest', (request, _reply, done) => {
    if (isSilent(request.routeOptions.url ?? '')) {
      done();
      return;
    }
    const span = tracer.startServer(describe(request), request.headers);
    spans.set(request, span);
    span.run(done);
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    const span = spans.get(request);
    if (span === undefined) {
      done();
      return;
    }
    const { attributes, error } = outcomeOf(reply);
    span.end(attributes, error);
    // The hooks that follow write the log line and the measurements of the request.
    span.run(done);
  });
}

/** By the semantic conventions for HTTP servers. No query and no address that names nothing: anything may stand there. */
function describe(request: FastifyRequest): SpanDescription {
  const method = methodOf(request.method);
  const verb = method === '_OTHER' ? 'HTTP' : method;
  const common = { 'http.request.method': method, 'url.scheme': request.protocol };
  const route = routeOf(request);
  if (route === 'unmatched') return { name: verb, attributes: common };
  const [path = ''] = request.url.split('?', 1);
  return {
    name: `${verb} ${route}`,
    attributes: { ...common, 'http.route': route, 'url.path': path },
  };
}

function outcomeOf(reply: FastifyReply): { attributes: Attributes; error?: string } {
  if (!reply.raw.writableFinished) return { attributes: { 'error.type': 'aborted' } };
  const attributes = { 'http.response.status_code': reply.statusCode };
  // What the client did wrong is no error of the server.
  return reply.statusCode < 500 ? { attributes } : { attributes, error: String(reply.statusCode) };
}
