import { jest } from '@jest/globals';
import { Client } from 'pg';
import { startHaproxy } from '../support/haproxy.js';
import { startPgbouncer } from '../support/pgbouncer.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { runSql, sharedServerUrl } from '../support/test-database.js';

const shared = (): URL => new URL(sharedServerUrl());

// Longer where a program has to be installed first.
jest.setTimeout(180_000);

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function newClient(url: string): Promise<Client> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5000 });
  client.on('error', () => undefined);
  stops.push(() => client.end().catch(() => undefined));
  await client.connect();
  return client;
}

describe('startHaproxy', () => {
  it('spreads connections over its servers, and stops using one that hangs', async () => {
    const ways = await Promise.all([0, 1].map(() => startTcpProxy(Number(shared().port))));
    stops.push(...ways.map((way) => way.stop));
    const [hung, other] = ways as [(typeof ways)[0], (typeof ways)[0]];
    const proxy = await startHaproxy({ servers: ways.map(({ port }) => port), check: 'postgres' });
    stops.push(proxy.stop);
    const url = Object.assign(shared(), { port: proxy.port }).href;
    const clients = await Promise.all(Array.from({ length: 4 }, () => newClient(url)));
    // A health check may be one more.
    for (const way of ways) expect(way.connections()).toBeGreaterThanOrEqual(2);
    const ends = clients.map((client) => new Promise((resolve) => client.once('end', resolve)));
    hung.freeze();
    await Promise.race(ends);
    for (let n = 0; n < 4; n += 1) await newClient(url);
    expect(other.connections()).toBeGreaterThanOrEqual(6);
  });
});

describe('startPgbouncer', () => {
  it('lets many sessions share few connections, one transaction at a time', async () => {
    const { port, username: user, password } = shared();
    const bouncer = await startPgbouncer({ target: { port: Number(port), user, password }, poolSize: 2 });
    stops.push(bouncer.stop);
    const clients = await Promise.all(Array.from({ length: 6 }, () => newClient(bouncer.url('postgres'))));
    const asked = await Promise.all(clients.map((client) => client.query('SELECT pg_backend_pid() AS pid')));
    const pids = new Set(asked.map(({ rows }) => (rows as { pid: number }[])[0]?.pid));
    expect(pids.size).toBeLessThanOrEqual(2);
    const stranger = Object.assign(new URL(bouncer.url('postgres')), { password: 'guessed' });
    await expect(runSql(stranger.href, 'SELECT 1')).rejects.toThrow('SASL authentication failed');
  });
});
