import { Redis, type Cluster } from 'ioredis';
import type { SpanDescription } from '../telemetry/tracer.js';
import type { RedisAddress } from './redis-url.js';

/**
 * Describes a command by the semantic conventions for Redis; keys and values are left out. `name`: the command, and the
 * script that it runs.
 */
export function describeCommand(
  name: string,
  address: RedisAddress,
  redis: Redis | Cluster,
): SpanDescription {
  const [operation = '', script] = name.split(' ');
  return {
    name,
    attributes: {
      'db.system.name': 'redis',
      'db.namespace': String(address.db),
      'db.operation.name': operation,
      ...(script !== undefined && { 'db.stored_procedure.name': script }),
      ...serverOf(address, redis),
    },
  };
}

/** With Sentinels the connection tells which server it is. In a cluster the client picks one for each command. */
function serverOf(
  { kind, hosts: [first] }: RedisAddress,
  redis: Redis | Cluster,
): Record<string, string | number> {
  if (kind === 'single' && first !== undefined)
    return { 'server.address': first.host, 'server.port': first.port };
  if (!(redis instanceof Redis)) return {};
  const { remoteAddress, remotePort } = redis.stream;
  if (remoteAddress === undefined || remotePort === undefined) return {};
  return { 'server.address': remoteAddress, 'server.port': remotePort };
}
