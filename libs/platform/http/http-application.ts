import type { IncomingMessage } from 'node:http';
import fastifyCors from '@fastify/cors';
import {
  NotFoundException,
  type CanActivate,
  type DynamicModule,
  type INestApplicationContext,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Consistency } from '../consistency/consistency.js';
import type { ConsistencyTokens } from '../consistency/consistency-token.js';
import type { Health } from '../lifecycle/health.js';
import { logger, NestLogger } from '../logging/logger.js';
import type { Metrics } from '../metrics/metrics.js';
import { adaptCalls } from './call-adapter.js';
import { usualBodyBytes } from './endpoint.js';
import { addEndpoints } from './endpoints.js';
import { Connections } from './connections.js';
import type { HttpConfig } from './http.config.js';
import { countCostlyTime } from './costly-time.js';
import { HttpError } from './http-error.js';
import { HttpMetrics } from './http-metrics.js';
import { answerInvalidRequest, rejectUnsupportedRequests } from './invalid-request.js';
import { sendProblem } from './send-problem.js';
import { judgeHeads } from './request-head.js';
import { requestIdOf } from './request-id.js';
import { logRequests } from './request-log.js';
import { measureRequests } from './request-metrics.js';
import { traceRequests } from './request-spans.js';
import { ResponseHeaders } from './response-headers.js';
import { recordRoutes, refuseForeignMethods } from './route-table.js';
import { guardBeforeBody, Routes } from './routes.js';
import { parseStrictJson } from './strict-json.js';

/** Longer than the idle timeout of the usual load balancers (60 s), or they reuse a connection that we just closed. */
const keepAliveTimeoutMs = 72_000;
/** Every header of ours that a browser's script is else not shown. */
const exposedHeaders = [
  ...['ETag', 'Location', 'Link', 'Retry-After', 'X-Request-Id', 'Idempotency-Replayed'],
  ...['Consistency-Token', 'Consistency-Level'],
  ...['Allow', 'Accept-Patch', 'WWW-Authenticate', 'RateLimit', 'RateLimit-Policy'],
];

/** Nest's container, and Fastify, which serves its controllers. */
export interface HttpApplication {
  readonly app: INestApplicationContext;
  readonly fastify: FastifyInstance;
  readonly connections: Connections;
}

export interface HttpApplicationOptions {
  readonly module: DynamicModule;
  readonly config: HttpConfig;
  readonly health: Health;
  readonly metrics: Metrics;
  readonly consistency: Consistency;
  readonly tokens: ConsistencyTokens;
  /** Adds what is no controller, such as the docs page. */
  readonly addRoutes?: (fastify: FastifyInstance) => void;
}

/** Guards that run before the body of a request is read, in their order: `CanActivate[]`. */
export const EARLY_GUARDS = Symbol('EARLY_GUARDS');
/** Guards of every endpoint that run after it, in their order, before those of `@UseGuards`: `CanActivate[]`. */
export const ENDPOINT_GUARDS = Symbol('ENDPOINT_GUARDS');

/**
 * Builds the HTTP side of an app: limits, headers, parsing, problems, validation. It does not listen yet. Nest's own adapter
 * for Fastify has no part in it: its router and its hooks would cost each request more than everything that we do here.
 */
export async function createHttpApplication(options: HttpApplicationOptions): Promise<HttpApplication> {
  const { module, config, metrics, addRoutes } = options;
  const httpMetrics = new HttpMetrics(metrics);
  const server = createFastify(config, httpMetrics);
  const connections = new Connections(server.server, metrics);
  rejectUnsupportedRequests(server.server, httpMetrics);
  prepare(server);
  await allowOrigins(server, config);
  const headers = new ResponseHeaders(options);
  headers.addTo(server);
  const routes = new Routes();
  adaptCalls(server, { ...options, routes });
  let guards: readonly CanActivate[] = [];
  guardBeforeBody(server, routes, () => guards);
  refuseForeignMethods(server);
  countCostlyTime(server, () => app);
  logRequests(server);
  const announceRoutes = measureRequests(server, httpMetrics);
  addRoutes?.(server);

  const app = await NestFactory.createApplicationContext(module, {
    logger: new NestLogger(),
    abortOnError: false,
  });
  try {
    addEndpoints(server, {
      ...{ app, headers, handlerTimeoutMs: config.HANDLER_TIMEOUT_MS },
      guards: app.get<readonly CanActivate[]>(ENDPOINT_GUARDS, { strict: false }),
    });
    routes.learn(app);
    guards = app.get<readonly CanActivate[]>(EARLY_GUARDS, { strict: false });
    announceRoutes(app);
    await server.ready();
  } catch (error) {
    // Parts that had started before another one failed have timers, which would keep the process from ending.
    await app.close();
    throw error;
  }
  return { app, fastify: server, connections };
}

/** What comes before everything that looks at a request. */
function prepare(fastify: FastifyInstance): void {
  recordRoutes(fastify);
  acceptStrictJsonOnly(fastify);
  traceRequests(fastify);
  judgeHeads(fastify);
}

/** Fastify with its limits. */
function createFastify(config: HttpConfig, metrics: HttpMetrics): FastifyInstance {
  const instance = fastify({
    bodyLimit: usualBodyBytes,
    requestTimeout: config.REQUEST_TIMEOUT_MS,
    http: {
      // We refuse such a request ourselves, with a problem.
      requireHostHeader: false,
      headersTimeout: config.REQUEST_TIMEOUT_MS / 2,
      connectionsCheckingInterval: Math.min(5000, config.REQUEST_TIMEOUT_MS / 4),
    },
    keepAliveTimeout: keepAliveTimeoutMs,
    trustProxy: config.TRUSTED_PROXIES.length > 0 ? [...config.TRUSTED_PROXIES] : false,
    // While we stop, a request on an open connection is still answered, with `Connection: close`.
    return503OnClosing: false,
    // Connections are ended by us, see `Connections`.
    forceCloseConnections: false,
    genReqId: (request: IncomingMessage) => requestIdOf(request.headers['x-request-id']),
    clientErrorHandler: answerInvalidRequest(metrics),
    frameworkErrors: (error: unknown, request: FastifyRequest, reply: FastifyReply) => {
      sendProblem(error, request, reply);
    },
    // No bound of its own: what names nothing is a 404, and Node bounds the whole head to 16 KiB.
    routerOptions: { maxParamLength: 16_384 },
  });
  instance.setErrorHandler(sendProblem);
  instance.setNotFoundHandler((request, reply) => sendProblem(new NotFoundException(), request, reply));
  return instance;
}

function acceptStrictJsonOnly(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  const parse = (
    request: FastifyRequest,
    body: Buffer,
    done: (error: Error | null, value?: unknown) => void,
  ) => {
    try {
      requireSupportedType(request);
      done(null, body.length === 0 ? undefined : parseStrictJson(body));
    } catch (error) {
      done(error instanceof Error ? error : new Error('unreadable body'));
    }
  };
  fastify.addContentTypeParser(
    ['application/json', 'application/merge-patch+json'],
    { parseAs: 'buffer' },
    parse,
  );
}

function requireSupportedType(request: FastifyRequest): void {
  const [type = '', ...parameters] = (request.headers['content-type'] ?? '').toLowerCase().split(';');
  const charset = parameters
    .map((parameter) => parameter.trim())
    .find((parameter) => parameter.startsWith('charset='));
  const isUtf8 = charset === undefined || /^charset="?utf-?8"?$/.test(charset);
  if (isUtf8 && (type.trim() === 'application/json' || request.method === 'PATCH')) return;
  throw new HttpError(
    415,
    'unsupported_media_type',
    'The body must be application/json in UTF-8; PATCH takes application/merge-patch+json as well.',
    request.method === 'PATCH' ? { 'accept-patch': 'application/merge-patch+json, application/json' } : {},
  );
}

async function allowOrigins(fastify: FastifyInstance, config: HttpConfig): Promise<void> {
  if (config.CORS_ORIGINS.length === 0) return;
  await fastify.register(fastifyCors, {
    origin: config.CORS_ORIGINS.includes('*') ? '*' : [...config.CORS_ORIGINS],
    methods: ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE'],
    exposedHeaders,
    maxAge: 600,
    // Its 400 for an OPTIONS that is no preflight would be plain text.
    strictPreflight: false,
  });
}

/** What a client is given to send its next request on an open connection, and to be told to close it. */
const lingerMs = 1000;
/** What is left for the rest of the shutdown when requests had to be broken off. */
const forcedExitDelayMs = 10_000;

/**
 * Stops accepting, answers what is in flight, then closes everything behind it. From `health.stopping()` on each answer
 * says `Connection: close`. What is not answered within `STOP_TIMEOUT_MS` is broken off.
 *
 * @returns false where something was
 */
export async function stopHttpApplication(
  { app, fastify: server, connections }: HttpApplication,
  config: Pick<HttpConfig, 'STOP_TIMEOUT_MS'>,
): Promise<boolean> {
  let isClean = true;
  const overdue = setTimeout(() => {
    isClean = false;
    logger.error('draining took too long; requests in flight are broken off');
    connections.destroy();
    setTimeout(() => process.exit(1), forcedExitDelayMs).unref();
  }, config.STOP_TIMEOUT_MS);
  const linger = setTimeout(() => connections.end(), lingerMs);
  await server.close();
  await app.close();
  clearTimeout(linger);
  clearTimeout(overdue);
  return isClean;
}
