import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cluster, type Redis } from 'ioredis';
import { createRedis, parseRedisUrl } from './redis-url.js';

const single = { kind: 'single', isTls: false, db: 0 };

describe('a Redis URL', () => {
  it.each([
    ['redis://cache', { ...single, hosts: [{ host: 'cache', port: 6379 }] }],
    ['redis://cache/', { ...single, hosts: [{ host: 'cache', port: 6379 }] }],
    ['redis://10.0.0.1:7000/15', { ...single, db: 15, hosts: [{ host: '10.0.0.1', port: 7000 }] }],
    ['redis://[::1]:7000', { ...single, hosts: [{ host: '::1', port: 7000 }] }],
    ['redis://[fd00::2]', { ...single, hosts: [{ host: 'fd00::2', port: 6379 }] }],
    ['rediss://cache', { ...single, isTls: true, hosts: [{ host: 'cache', port: 6379 }] }],
    [
      'redis+cluster://a:7001,b,[::1]:7003',
      {
        ...{ kind: 'cluster', isTls: false, db: 0 },
        hosts: [
          { host: 'a', port: 7001 },
          { host: 'b', port: 6379 },
          { host: '::1', port: 7003 },
        ],
      },
    ],
    [
      'rediss+sentinel://a,b:7000/tasks/3',
      {
        ...{ kind: 'sentinel', isTls: true, db: 3, masterName: 'tasks' },
        hosts: [
          { host: 'a', port: 26379 },
          { host: 'b', port: 7000 },
        ],
      },
    ],
    [
      'redis+sentinel://a/tasks',
      {
        ...{ kind: 'sentinel', isTls: false, db: 0, masterName: 'tasks' },
        hosts: [{ host: 'a', port: 26379 }],
      },
    ],
  ])('says where to connect: %s', (url, address) => {
    expect(parseRedisUrl(url)).toEqual(address);
  });

  it.each([
    ['redis://:secret@cache', { password: 'secret' }],
    ['redis://secret@cache', { password: 'secret' }],
    ['redis://ada:secret@cache', { username: 'ada', password: 'secret' }],
    ['redis://ada:@cache', { username: 'ada' }],
    ['redis://@cache', {}],
    ['redis://ada:a:b@cache', { username: 'ada', password: 'a:b' }],
    ['redis://a%40b:p%40ss%2Fw%3A%25%2C%3F@cache', { username: 'a@b', password: 'p@ss/w:%,?' }],
    ['redis://:p/a?s,s@cache', { password: 'p/a?s,s' }],
  ])('says who connects: %s', (url, credentials) => {
    expect(parseRedisUrl(url)).toEqual({
      ...single,
      hosts: [{ host: 'cache', port: 6379 }],
      ...credentials,
    });
  });

  it('may name another password for the Sentinels', () => {
    const address = parseRedisUrl('redis+sentinel://:one@a/tasks?sentinelPassword=t%26wo');
    expect(address).toMatchObject({ password: 'one', sentinelPassword: 't&wo' });
  });

  it.each([
    ['nothing', ''],
    ['another scheme', 'http://cache'],
    ['no scheme', 'cache:6379'],
    ['an unknown kind', 'redis+ring://cache'],
    ['no host', 'redis://'],
    ['no host but credentials', 'redis://:secret@'],
    ['no host but a database', 'redis:///0'],
    ['several hosts without saying what they are', 'redis://a,b'],
    ['an empty host', 'redis+cluster://a,,b'],
    ['a port that none can have', 'redis://cache:65536'],
    ['port 0', 'redis://cache:0'],
    ['a port that is no number', 'redis://cache:x'],
    ['an IPv6 address without brackets', 'redis://::1'],
    ['brackets around no address', 'redis://[cache]:6379'],
    ['a blank', 'redis://my cache'],
    ['a database that is no number', 'redis://cache/tasks'],
    ['a path below the database', 'redis://cache/1/2'],
    ['a database of a cluster, which has only one', 'redis+cluster://a/1'],
    ['Sentinels without the name of a master', 'redis+sentinel://a,b'],
    ['Sentinels with an empty name of a master', 'redis+sentinel://a,b/'],
    ['Sentinels and a database that is no number', 'redis+sentinel://a/tasks/x'],
    ['a password with an @ of its own', 'redis://:p@ss@cache'],
    ['a password that does not decode', 'redis://:100%@cache'],
    ['a password that is no UTF-8', 'redis://:%E0%A4@cache'],
  ])('is none with %s: %s', (_, url) => {
    expect(parseRedisUrl(url)).toBeNull();
  });
});

describe('a client of Redis', () => {
  const config = { REDIS_TIMEOUT_MS: 250 };
  /** Nothing is connected before `connect`. */
  const create = (url: string, more = {}) => {
    const address = parseRedisUrl(url);
    if (address === null) throw new Error('no address');
    return createRedis(address, { ...config, ...more }, 'test');
  };

  it.each(['redis://:s@a:7000/2', 'redis+sentinel://:s@a:7000/tasks/2'])(
    'keeps no command waiting, for a connection or an answer: %s',
    (url) => {
      expect(create(url).options).toMatchObject({
        ...{ connectionName: 'test', db: 2, password: 's', lazyConnect: true },
        ...{ enableOfflineQueue: false, autoResendUnfulfilledCommands: false, maxRetriesPerRequest: 0 },
        commandTimeout: 1000,
      });
    },
  );

  it('of a Cluster does so for each of its nodes', () => {
    const client = create('rediss+cluster://ada:s@a:7000,b', { REDIS_TIMEOUT_MS: 900 });
    expect(client).toBeInstanceOf(Cluster);
    expect(client.options).toMatchObject({
      enableOfflineQueue: false,
      lazyConnect: true,
      redisOptions: {
        ...{ username: 'ada', password: 's', tls: {}, commandTimeout: 1800 },
        ...{ enableOfflineQueue: false, autoResendUnfulfilledCommands: false, maxRetriesPerRequest: 0 },
      },
    });
  });

  it('asks the Sentinels by their own password, over TLS where that is told', () => {
    const client = create('rediss+sentinel://:s@a,b/tasks?sentinelPassword=t') as Redis;
    expect(client.options).toMatchObject({
      ...{ name: 'tasks', password: 's', sentinelPassword: 't' },
      sentinels: [
        { host: 'a', port: 26379 },
        { host: 'b', port: 26379 },
      ],
      ...{ tls: {}, enableTLSForSentinelMode: true, sentinelTLS: {} },
    });
    const plain = create('redis+sentinel://a/tasks') as Redis;
    expect(plain.options.sentinelPassword ?? null).toBeNull();
    expect(plain.options.enableTLSForSentinelMode).toBe(false);
  });

  it('trusts the certificates of REDIS_CA_FILE, and none without TLS', () => {
    const folder = mkdtempSync(join(tmpdir(), 'redis-url-'));
    try {
      const file = join(folder, 'ca.pem');
      writeFileSync(file, 'certificate');
      const secure = create('rediss://a', { REDIS_CA_FILE: file });
      expect((secure.options as Redis['options']).tls).toEqual({ ca: Buffer.from('certificate') });
      const plain = create('redis://a', { REDIS_CA_FILE: file });
      expect((plain.options as Redis['options']).tls).toBeUndefined();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('takes the password of REDIS_PASSWORD as it is, where the URL holds none', () => {
    const more = { REDIS_PASSWORD: 'p@s:s/%' };
    for (const url of ['redis://a', 'redis://ada:@a', 'redis+sentinel://a/tasks'])
      expect((create(url, more).options as Redis['options']).password).toBe('p@s:s/%');
    expect(
      (create('redis+cluster://a', more).options as { redisOptions: object }).redisOptions,
    ).toMatchObject({ password: 'p@s:s/%' });
    expect((create('redis://:own@a', more).options as Redis['options']).password).toBe('own');
  });

  it('goes on connecting, five times a second', () => {
    const { retryStrategy } = create('redis://a').options as Redis['options'];
    expect([1, 10, 10_000].map((attempt) => retryStrategy?.(attempt))).toEqual([200, 200, 200]);
  });
});
