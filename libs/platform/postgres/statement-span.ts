import type { SpanDescription } from '../telemetry/tracer.js';

/** The server that a span names. */
export interface TracedServer {
  readonly address: string;
  readonly port: number;
  readonly database: string;
}

/**
 * Describes a statement by the semantic conventions for databases. The text is left out, because a statement may contain a
 * value. The table is the first that the statement names, which tells statements apart well enough.
 */
export function describeStatement(text: string, { address, port, database }: TracedServer): SpanDescription {
  const [operation, table] = changeOf(text) ?? [
    /^\s*([a-z]+)/i.exec(text)?.[1]?.toUpperCase() ?? 'OTHER',
    /\b(?:from|into|update)\s+("?\w+"?(?:\."?\w+"?)?)/i.exec(text)?.[1]?.replaceAll('"', ''),
  ];
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

/** What a statement of several parts (WITH) changes first; null where it changes nothing, or is no such statement. */
function changeOf(text: string): readonly [operation: string, table: string] | null {
  if (!/^\s*with\b/i.test(text)) return null;
  const [, operation, table] = /\b(insert|update|delete)\s+(?:into\s+|from\s+)?(\w+\.\w+)/i.exec(text) ?? [];
  return operation === undefined || table === undefined ? null : [operation.toUpperCase(), table];
}
