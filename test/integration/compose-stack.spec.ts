import { execFile } from 'node:child_process';
import { access, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { jest } from '@jest/globals';
import { Client as PostgresClient } from 'pg';
import { apiRules, apiVariables } from '../../apps/api/config.js';
import { parseEnvironment } from '../../libs/platform/config/environment.js';
import { readComposeFile } from '../compose/compose-file.js';
import { openPlace, type Place } from '../compose/place.js';
import {
  databaseUrl,
  startNginx,
  startPostgresOf,
  startPrometheus,
  startRedisOf,
  type Balance,
  type Nginx,
  type Prometheus,
} from '../compose/servers.js';
import { client, type ApiRequest, type Client, type Session } from '../support/client.js';
import { startFleet, type Fleet } from '../support/fleet.js';
import { expectProblem } from '../support/problem.js';
import { getProgram } from '../support/programs.js';
import { runApp } from '../support/run.js';
import type { ServerProcess } from '../support/server-process.js';
import { runSql } from '../support/test-database.js';
import { waitFor } from '../support/wait.js';
import { keepCalling, lastReadAt } from './replicas-fixture.js';

// Longer where programs have to be installed first.
jest.setTimeout(300_000);

const execute = promisify(execFile);
const stops: (() => Promise<unknown>)[] = [];
const closers: (() => void)[] = [];
/** What a failing test leaves running. */
const endings: (() => Promise<unknown>)[] = [];
let place: Place;
let primary: ServerProcess;
let replica: ServerProcess;
let fleet: Fleet;
let nginx: Readonly<Record<Balance, Nginx>>;

/** In the order of `depends_on`. */
beforeAll(async () => {
  place = await openPlace();
  stops.push(() => place.remove());
  await place.makeSecrets();
  await Promise.all([place.folderFor('primary'), place.folderFor('replica')]);
  primary = await startPostgresOf(place, 'primary');
  stops.push(() => primary.kill());
  const [redis, standby] = await Promise.all([startRedisOf(place), startPostgresOf(place, 'replica')]);
  replica = standby;
  stops.push(
    () => redis.stop(),
    () => replica.kill(),
  );
  const env = await apiEnvironment();
  expect(await runApp('migrate', [], env)).toMatchObject({ code: 0 });
  fleet = await startFleet({ size: 3, databaseUrl: await databaseUrl(place, 'primary'), env });
  stops.push(() => fleet.stop());
  nginx = {
    round_robin: await newNginx('round_robin'),
    least_conn: await newNginx('least_conn'),
    ip_hash: await newNginx('ip_hash'),
  };
});
afterEach(async () => {
  await Promise.allSettled(endings.splice(0).map((end) => end()));
});
afterAll(async () => {
  for (const close of closers) close();
  for (const stop of stops.splice(0).reverse()) await stop();
});

/** The variables of an API process in compose.yaml, except addresses. */
async function apiEnvironment(): Promise<Readonly<Record<string, string>>> {
  const { services } = await readComposeFile();
  return {
    ...services['api-1']?.environment,
    ...(await place.apiEnvironment()),
    TRUSTED_PROXIES: '127.0.0.1',
    JWT_KEYS_DIR: place.secret('api/keys'),
    MIGRATE_ON_START: 'false',
    // Longer than a busy machine needs: counts must be exact, and held requests must be released before they expire.
    REDIS_TIMEOUT_MS: '5000',
    DATABASE_STATEMENT_TIMEOUT_MS: '14000',
  };
}

async function newNginx(balance: Balance): Promise<Nginx> {
  const started = await startNginx(place, fleet.members.map(serverOf), balance);
  stops.push(() => started.stop());
  return started;
}

const serverOf = ({ baseUrl }: { readonly baseUrl: string }): string => new URL(baseUrl).host;

/** Addresses of this machine, each in a different /24. */
let networks = 0;
const newAddress = (): string => `127.1.${++networks}.1`;

function clientOf({ url }: Nginx, address = newAddress()): Client {
  const made = client(url, address);
  closers.push(made.close);
  return made;
}

/** The address of the process that answered the request with that id. */
const answererOf = (through: Nginx, id: string): Promise<string> =>
  waitFor(async () => (await through.accesses()).find((each) => each.request_id === id)?.servers);

let requests = 0;
/** Sends small requests one after the other, and returns which processes answered. */
async function answerers(through: Nginx, caller: Client, times: number): Promise<readonly string[]> {
  const ids = Array.from({ length: times }, () => `request-${++requests}`);
  for (const id of ids) {
    const { status } = await caller.request('GET', '/.well-known/jwks.json', {
      headers: { 'x-request-id': id },
    });
    expect(status).toBe(200);
  }
  return Promise.all(ids.map((id) => answererOf(through, id)));
}

/** Points left according to the RateLimit header. */
const leftOf = async (caller: Client, options: ApiRequest = {}): Promise<number> => {
  const { headers } = await caller.request('GET', '/.well-known/jwks.json', options);
  return Number(/"ip";r=(\d+)/.exec(headers['ratelimit'] ?? '')?.[1]);
};

const createTask = (caller: Client, { accessToken: token }: Session, title: string) =>
  caller.request('POST', '/v1/tasks', { token, body: { title } });

/** Makes all writers of tasks wait. */
async function holdWrites(): Promise<{
  waiting(connections: number): Promise<unknown>;
  release(): Promise<void>;
}> {
  const url = await databaseUrl(place, 'primary');
  const holder = new PostgresClient({ connectionString: url, query_timeout: 10_000 });
  holder.on('error', () => undefined);
  endings.push(() => holder.end());
  await holder.connect();
  await holder.query('BEGIN');
  await holder.query('LOCK TABLE tasks.tasks IN SHARE ROW EXCLUSIVE MODE');
  // Several writes of a process may wait on one connection.
  const waiting = (connections: number) =>
    waitFor(async () => {
      const rows = await runSql(
        url,
        "SELECT FROM pg_locks WHERE NOT granted AND relation = 'tasks.tasks'::regclass",
      );
      return rows.length >= connections;
    });
  return { waiting, release: () => holder.end() };
}

/** A command of the replication protocol. */
async function asReplicator(command: string): Promise<void> {
  const url = new URL(await databaseUrl(place, 'primary'));
  url.username = 'replicator';
  url.password = (await readFile(place.secret('postgres/replication-password'), 'utf8')).trim();
  url.search = 'replication=true';
  await runSql(url.href, command);
}

describe('the secrets of compose.yaml', () => {
  it('are the ones that the API needs in production', async () => {
    const config = parseEnvironment(await apiEnvironment(), apiVariables);
    expect(apiRules.flatMap((rule) => rule(config))).toEqual([]);
  });

  it('stay the same, and are restored from their originals', async () => {
    const before = await readFile(place.secret('api/api.env'), 'utf8');
    expect(await place.makeSecrets()).toBe('');
    await rm(place.secret('api/api.env'));
    expect(await place.makeSecrets()).toBe(`wrote ${place.secret('api/api.env')}\n`);
    expect(await readFile(place.secret('api/api.env'), 'utf8')).toBe(before);
    expect(before).toMatch(/^DATABASE_URL=postgres:\/\/task_api:[0-9a-f]{64}@/);
  });
});

describe('the Prometheus of compose.yaml', () => {
  it('has a configuration that promtool accepts', async () => {
    const promtool = await getProgram('promtool', 'prometheus');
    const { stdout } = await execute(promtool, ['check', 'config', place.file('prometheus/prometheus.yml')], {
      timeout: 20_000,
    });
    expect(stdout).toContain('SUCCESS');
  });

  it('scrapes every process that runs, and loads the rules', async () => {
    const addresses = fleet.members.map(({ api }, n) => [`api-${n + 1}:5001`, new URL(api.opsUrl).host]);
    const prometheus = await startPrometheus(place, Object.fromEntries(addresses) as Record<string, string>);
    stops.push(() => prometheus.stop());
    const up = async () => {
      const { result } = await askPrometheus<{ result: { metric: Metric; value: [number, string] }[] }>(
        prometheus,
        'query?query=up',
      );
      return result.map(({ metric, value }) => [metric.instance, value[1], metric.namespace]);
    };
    const expected = [...addresses.map(([, address]) => address), new URL(prometheus.url).host];
    await waitFor(async () => (await up()).length === expected.length);
    expect((await up()).sort()).toEqual(
      expected
        .sort()
        .map((instance) => [
          instance,
          '1',
          instance === new URL(prometheus.url).host ? undefined : 'compose',
        ]),
    );
    const { groups } = await askPrometheus<{ groups: { name: string }[] }>(prometheus, 'rules');
    expect(groups.map(({ name }) => name)).toContain('task-api-objectives');
  });
});

describe('NGINX in front of the API', () => {
  it('alternates between processes with round_robin', async () => {
    const asked = await answerers(nginx.round_robin, clientOf(nginx.round_robin), 9);
    for (const each of fleet.members) expect(asked.filter((one) => one === serverOf(each))).toHaveLength(3);
  });

  it('selects the process with the fewest requests in flight with least_conn', async () => {
    const caller = clientOf(nginx.least_conn);
    const user = await caller.registerAndLogin();
    const writes = await holdWrites();
    const held = [createTask(caller, user, 'one'), createTask(caller, user, 'two')];
    await writes.waiting(2);
    const asked = await answerers(nginx.least_conn, clientOf(nginx.least_conn), 9);
    expect(new Set(asked).size).toBe(1);
    await writes.release();
    expect((await Promise.all(held)).map(({ status }) => status)).toEqual([201, 201]);
    expect(new Set(await answerers(nginx.least_conn, caller, 9)).size).toBe(3);
  });

  it('sends each client to the same process with ip_hash, and other clients to other processes', async () => {
    const seen = new Set<string>();
    for (let n = 0; n < 20; n++) {
      const asked = new Set(await answerers(nginx.ip_hash, clientOf(nginx.ip_hash), 4));
      expect(asked.size).toBe(1);
      asked.forEach((each) => seen.add(each));
    }
    expect(seen.size).toBeGreaterThan(1);
  });

  it('gives each client its own rate limit, whatever address the client claims to have', async () => {
    const [one, other] = [clientOf(nginx.round_robin), clientOf(nginx.round_robin)];
    const full = await leftOf(one);
    expect(await leftOf(one)).toBe(full - 1);
    expect(await leftOf(other)).toBe(full);
    const made = [
      { 'x-forwarded-for': '198.51.100.7' },
      { 'x-forwarded-for': '198.51.100.7, 127.0.0.1' },
      { 'x-real-ip': '198.51.100.7', forwarded: 'for=198.51.100.7' },
    ];
    for (const [n, headers] of made.entries()) expect(await leftOf(one, { headers })).toBe(full - 2 - n);
  });

  it('passes on the request id, and replaces it if it is missing or harmful', async () => {
    const caller = clientOf(nginx.round_robin);
    const idFor = async (headers: Readonly<Record<string, string>>) =>
      (await caller.request('GET', '/v1/tasks', { headers })).headers['x-request-id'];
    expect(await idFor({ 'x-request-id': 'mine.1_2-3' })).toBe('mine.1_2-3');
    const ids = [await idFor({}), await idFor({ 'x-request-id': 'a"b c' })];
    for (const id of ids) {
      expect(id).toMatch(/^[0-9a-f]{32}$/);
      expect(await answererOf(nginx.round_robin, id ?? '')).toBeTruthy();
    }
  });

  it('hides its version, and accepts bodies as large as the API does', async () => {
    const caller = clientOf(nginx.round_robin);
    const { accessToken: token } = await caller.registerAndLogin();
    const post = (bytes: number) =>
      caller.request('POST', '/v1/tasks/bulk', {
        token,
        raw: `{"operations":"${'y'.repeat(bytes - 17)}"}`,
        headers: { 'content-type': 'application/json' },
      });
    const largest = await post(1024 * 1024);
    // No list, which only the API can detect.
    expectProblem(largest, 422, 'validation_failed');
    expect(largest.headers['server']).toBe('nginx');
    expectProblem(await post(1024 * 1024 + 1), 413, 'payload_too_large');
  });

  it('retries a request on another process if one does not answer, but never a POST', async () => {
    const through = nginx.round_robin;
    const [reader, writer] = [clientOf(through), clientOf(through)];
    const user = await writer.registerAndLogin();
    const reads = keepCalling(4, 200, () => reader.request('GET', '/v1/tasks', { token: user.accessToken }));
    endings.push(reads.stop);
    await waitFor(() => reads.answered() >= 20);
    const writes = await holdWrites();
    // Enough that each process gets some.
    const titles = Array.from({ length: 12 }, (_, n) => `held ${n}`);
    const held = titles.map((title) => createTask(writer, user, title));
    await writes.waiting(fleet.members.length);
    const victim = fleet.member(2);
    await victim.api.kill();
    const atKill = reads.answered();
    await waitFor(() => reads.answered() >= atKill + 30);
    await reads.stop();
    await writes.release();
    const answers = await Promise.all(held);
    const made = titles.filter((_, n) => answers[n]?.status === 201);
    const broken = answers.filter(({ status }) => status !== 201);
    expect(broken.length).toBeGreaterThan(0);
    expect(made.length).toBeGreaterThan(0);
    for (const each of broken) expectProblem(each, 502, 'bad_gateway');
    const rows = await runSql(
      await databaseUrl(place, 'primary'),
      "SELECT title FROM tasks.tasks WHERE title LIKE 'held %'",
    );
    const stored = rows.map(({ title }) => String(title));
    expect(stored).toEqual(expect.arrayContaining(made));
    // What the killed process had sent to the database may have taken effect; a request that was sent again would have, twice.
    expect(new Set(stored).size).toBe(stored.length);
    // A request that was not sent yet goes to another process, even a POST.
    for (let n = 0; n < 6; n++) expect((await createTask(writer, user, `after ${n}`)).status).toBe(201);
  });
});

describe('the Postgres of compose.yaml', () => {
  it('streams to the replica, from which the API reads', async () => {
    const caller = clientOf(nginx.round_robin);
    const user = await caller.registerAndLogin();
    const { headers } = await createTask(caller, user, 'read me');
    const url = await databaseUrl(place, 'replica');
    await waitFor(async () => {
      // It is never cached.
      const path = headers['location'] ?? '';
      expect((await caller.request('GET', path, { token: user.accessToken })).status).toBe(200);
      return (await lastReadAt(url)) > 0;
    });
  });

  it('recovers after both servers were lost, and so does the API', async () => {
    const caller = clientOf(nginx.round_robin);
    const user = await caller.registerAndLogin();
    await Promise.all([primary.kill(), replica.kill()]);
    // Without a primary, the replica still serves reads.
    replica = await startPostgresOf(place, 'replica');
    primary = await startPostgresOf(place, 'primary');
    const title = 'after the loss';
    await waitFor(async () => (await createTask(caller, user, title)).status === 201, { timeoutMs: 30_000 });
    const url = await databaseUrl(place, 'replica');
    await waitFor(
      async () => (await runSql(url, 'SELECT FROM tasks.tasks WHERE title = $1', [title])).length > 0,
      { timeoutMs: 30_000, what: 'the write on the replica' },
    );
  });

  it('clones the primary again if its slot no longer keeps the WAL that it lacks', async () => {
    await replica.kill();
    const folder = join(place.folder, 'replica', 'cluster');
    const { ino } = await stat(folder);
    await asReplicator('DROP_REPLICATION_SLOT replica WAIT');
    // A slot without a position, like one that has lost WAL.
    await asReplicator('CREATE_REPLICATION_SLOT replica PHYSICAL');
    replica = await startPostgresOf(place, 'replica');
    expect((await stat(folder)).ino).not.toBe(ino);
    const url = await databaseUrl(place, 'replica');
    await waitFor(async () => (await runSql(url, 'SELECT FROM pg_stat_wal_receiver')).length > 0);
  });

  it('never starts on an empty volume while the replica has data', async () => {
    await primary.kill();
    await rm(join(place.folder, 'primary', 'cluster'), { recursive: true });
    await expect(startPostgresOf(place, 'primary')).rejects.toThrow("The primary's volume is empty");
    await expect(access(join(place.folder, 'primary', 'cluster'))).rejects.toThrow();
  });
});

interface Metric {
  readonly instance: string;
  readonly namespace?: string;
}

async function askPrometheus<T>({ url }: Prometheus, what: string): Promise<T> {
  const response = await fetch(`${url}/api/v1/${what}`, { signal: AbortSignal.timeout(2000) });
  const { data } = (await response.json()) as { data: T };
  return data;
}
