import type { PoolClient } from 'pg';
import { activeTracer, type SpanDescription, type Tracer } from '../telemetry/tracer.js';

type Query = (...args: unknown[]) => Promise<unknown>;

/** Makes each statement of a connection a span of the request that it belongs to. Costs nothing without tracing. */
export function traceStatements(client: PoolClient, url: string): void {
  const tracer = activeTracer();
  if (tracer !== null) wrapQuery(client, serverOf(url), tracer);
}

function wrapQuery(client: { query: Query }, server: Server, tracer: Tracer): void {
  const query = client.query.bind(client);
  client.query = (...args) => {
    const text = textOf(args[0]);
    // What streams or calls back is not a promise to be waited for.
    if (text === null || typeof args.at(-1) === 'function') return query(...args);
    return tracer.client(
      () => describeStatement(text, server),
      () => query(...args),
    );
  };
}

interface Server {
  readonly address: string;
  readonly port: number;
  readonly database: string;
}

function serverOf(url: string): Server {
  const { hostname, port, pathname } = new URL(url);
  return { address: hostname, port: Number(port || '5432'), database: decodeURIComponent(pathname.slice(1)) };
}

function textOf(query: unknown): string | null {
  if (typeof query === 'string') return query;
  if (typeof query !== 'object' || query === null || 'submit' in query) return null;
  return 'text' in query && typeof query.text === 'string' ? query.text : null;
}

/**
 * By the semantic conventions for databases, without the statement: one day somebody writes a value into it. The table is the first
 * that it names, which tells statements apart well enough.
 */
export function describeStatement(text: string, { address, port, database }: Server): SpanDescription {
  const operation = /^\s*([a-z]+)/i.exec(text)?.[1]?.toUpperCase() ?? 'OTHER';
  const table = /\b(?:from|into|update)\s+("?\w+"?(?:\."?\w+"?)?)/i.exec(text)?.[1]?.replaceAll('"', '');
  const summary = table === undefined ? operation : `${operation} ${table}`;
  return {
    name: summary,
    attributes: {
      'db.system.name': 'postgresql',
      'db.namespace': database,
      'db.operation.name': operation,
      'db.query.summary': summary,
      'server.address': address,
      'server.port': port,
    },
  };
}
