import { readFileSync } from 'node:fs';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { decodes } from '../config/percent-encoding.js';

/** `REDIS_URL`, parsed. Several hosts are a Cluster, or the Sentinels of one master. */
export interface RedisAddress {
  readonly kind: 'single' | 'sentinel' | 'cluster';
  readonly isTls: boolean;
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
  readonly username?: string;
  readonly password?: string;
  readonly db: number;
  /** Name of the master, for Sentinels. */
  readonly masterName?: string;
  readonly sentinelPassword?: string;
}

const form = /^(rediss?)(?:\+(sentinel|cluster))?:\/\/(?:([^@]*)@)?([^/?]+)(?:\/([^?]*))?(?:\?(.*))?$/;
const defaultPorts = { single: 6379, sentinel: 26379, cluster: 6379 } as const;
/** A cluster has database 0 only. */
const dbForms = { single: /^\d{0,3}$/, sentinel: /^\d{0,3}$/, cluster: /^0?$/ } as const;

/**
 * `redis://[[user]:password@]host[:port][/db]`, `redis+cluster://…@host:port,host:port`,
 * `redis+sentinel://…@host:port,host:port/master[/db][?sentinelPassword=…]`; `rediss` instead of `redis` for TLS.
 *
 * @returns null for any other text
 */
export function parseRedisUrl(url: string): RedisAddress | null {
  const [, scheme, suffix, credentials, authority = '', path = '', query] = form.exec(url) ?? [];
  if (scheme === undefined) return null;
  const kind = suffix === 'sentinel' || suffix === 'cluster' ? suffix : 'single';
  const hosts = authority.split(',').map((entry) => parseHost(entry, defaultPorts[kind]));
  if (hosts.some((host) => host === null) || (kind === 'single' && hosts.length > 1)) return null;
  const parts = path.split('/');
  const masterName = kind === 'sentinel' ? parts.shift() : undefined;
  const [db = '', ...more] = parts;
  if (more.length > 0 || !dbForms[kind].test(db) || masterName === '') return null;
  if (!decodes(credentials ?? '')) return null;
  const [username, password] = splitCredentials(credentials);
  const sentinelPassword = new URLSearchParams(query ?? '').get('sentinelPassword');
  return {
    kind,
    isTls: scheme === 'rediss',
    hosts: hosts.flatMap((host) => host ?? []),
    db: Number(db || '0'),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(masterName !== undefined && { masterName }),
    ...(sentinelPassword !== null && { sentinelPassword }),
  };
}

function parseHost(text: string, defaultPort: number): { host: string; port: number } | null {
  const [, bracketed, plain, given] =
    /^(?:\[([0-9a-fA-F:]+)\]|([^:[\]@\s]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(given ?? defaultPort);
  return host === undefined || port < 1 || port > 65_535 ? null : { host, port };
}

function splitCredentials(text: string | undefined): [string | undefined, string | undefined] {
  if (text === undefined || text === '') return [undefined, undefined];
  const colon = text.indexOf(':');
  const decode = (part: string) => (part === '' ? undefined : decodeURIComponent(part));
  return colon < 0
    ? [undefined, decode(text)]
    : [decode(text.slice(0, colon)), decode(text.slice(colon + 1))];
}

export interface RedisClientConfig {
  readonly REDIS_TIMEOUT_MS: number;
  readonly REDIS_CA_FILE?: string | undefined;
  readonly REDIS_PASSWORD?: string | undefined;
}

/**
 * A client that never queues: a command fails at once while there is no connection, and fails when the connection breaks.
 * The client connects again by itself.
 */
export function createRedis(address: RedisAddress, config: RedisClientConfig, name: string): Redis | Cluster {
  const tls = address.isTls
    ? { tls: { ...(config.REDIS_CA_FILE !== undefined && { ca: readFileSync(config.REDIS_CA_FILE) }) } }
    : {};
  const password = address.password ?? config.REDIS_PASSWORD;
  const options: Omit<RedisOptions, 'replyMapping'> = {
    connectionName: name,
    db: address.db,
    ...(address.username !== undefined && { username: address.username }),
    ...(password !== undefined && { password }),
    ...tls,
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 1000,
    // Also for the client's own commands while it connects: a stopped server (SIGSTOP) still accepts connections.
    commandTimeout: Math.max(1000, config.REDIS_TIMEOUT_MS * 2),
    keepAlive: 5000,
    retryStrategy: () => 200,
  };
  const [first] = address.hosts;
  if (first === undefined) throw new Error('A Redis address without a host');
  switch (address.kind) {
    case 'single':
      return new Redis({ ...options, host: first.host, port: first.port });
    case 'sentinel':
      return new Redis({
        ...options,
        sentinels: address.hosts.map((host) => ({ ...host })),
        name: address.masterName ?? '',
        ...(address.sentinelPassword !== undefined && { sentinelPassword: address.sentinelPassword }),
        ...(address.isTls && { enableTLSForSentinelMode: true, sentinelTLS: tls.tls ?? {} }),
        sentinelRetryStrategy: () => 200,
      });
    case 'cluster':
      return new Cluster([...address.hosts], clusterOptions(options));
  }
}

/** Some options are those of the cluster, the others those of its nodes. */
function clusterOptions({
  lazyConnect: _lazy,
  retryStrategy: _retry,
  db: _db,
  ...redisOptions
}: Omit<RedisOptions, 'replyMapping'>) {
  return {
    lazyConnect: true,
    enableOfflineQueue: false,
    clusterRetryStrategy: () => 200,
    slotsRefreshTimeout: 1000,
    // By default the client connects to the address of a host, and the certificate would have to name that address.
    ...(redisOptions.tls !== undefined && { dnsLookup: keepName }),
    redisOptions,
  };
}

function keepName(host: string, done: (error: null, name: string) => void): void {
  done(null, host);
}
