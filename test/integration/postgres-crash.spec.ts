import { startApi, type Api } from '../support/api.js';
import { client, type ApiResponse, type Client, type Session } from '../support/client.js';
import { startPostgres, type TestPostgres } from '../support/postgres.js';
import { runSql } from '../support/test-database.js';
import { waitFor } from '../support/wait.js';

const writes = 1000;
const writers = 10;

let server: TestPostgres;
let api: Api;
let caller: Client;
let user: Session;

beforeAll(async () => {
  // fsync is on, as in production: acknowledged writes are on disk.
  server = await startPostgres({ settings: { fsync: 'on' } });
  api = await startApi({ databaseUrl: server.url });
  caller = client(api.url);
  user = await caller.registerAndLogin();
}, 90_000);
afterAll(async () => {
  caller.close();
  await api.stop();
  await server.stop();
});

interface Attempt {
  readonly title: string;
  readonly at: number;
  readonly response: ApiResponse<{ id?: string; code?: string }>;
}

describe('kill -9 of Postgres during 1,000 writes', () => {
  it('loses no acknowledged write, answers 503 problems meanwhile, and works again within five seconds', async () => {
    const attempts: Attempt[] = [];
    let acceptsSince = Infinity;
    const crash = (async () => {
      await waitFor(() => attempts.length >= writes / 4, { timeoutMs: 60_000, intervalMs: 5 });
      await server.kill();
      // Long enough that writers find the server down, not only crashing.
      await waitFor(() => attempts.some(({ response }) => response.status === 503), { timeoutMs: 30_000 });
      await server.start();
      await waitFor(() => runSql(server.url, 'SELECT 1').then(() => true), { timeoutMs: 30_000 });
      acceptsSince = Date.now();
    })();
    const acknowledged = await writeUntil(attempts, () => acceptsSince);
    await crash;

    expect(unknownErrors(api)).toEqual([]);
    expect(unexpected(attempts)).toEqual([]);
    expect(attempts.filter(({ response }) => response.status === 503).length).toBeGreaterThan(0);
    expect(acknowledged.length).toBeGreaterThanOrEqual(writes);
    const titles = await runSql(server.url, 'SELECT title FROM tasks.tasks');
    const stored = new Set(titles.map(({ title }) => title));
    expect(acknowledged.filter(({ title }) => !stored.has(title))).toEqual([]);
    const firstAgain = attempts.find(({ at, response }) => at >= acceptsSince && response.status === 201);
    expect((firstAgain?.at ?? Infinity) - acceptsSince).toBeLessThanOrEqual(5000);
  }, 120_000);
});

/** Runs ten concurrent writers until 1,000 writes are acknowledged and the server is back. Returns the acknowledged writes. */
async function writeUntil(attempts: Attempt[], backSince: () => number): Promise<readonly Attempt[]> {
  const acknowledged: Attempt[] = [];
  const isDone = () =>
    acknowledged.length >= writes &&
    backSince() < Infinity &&
    acknowledged.some(({ at }) => at >= backSince());
  const write = async (writer: number) => {
    for (let n = 0; !isDone(); n++) {
      const title = `Write ${writer}-${n}`;
      const response = await caller.request<{ id?: string; code?: string }>('POST', '/v1/tasks', {
        token: user.accessToken,
        body: { title },
      });
      const attempt = { title, at: Date.now(), response };
      attempts.push(attempt);
      if (response.status === 201) acknowledged.push(attempt);
    }
  };
  await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)));
  return acknowledged;
}

/** Responses that are neither an acknowledged write nor a 503 problem with Retry-After. */
function unexpected(attempts: readonly Attempt[]): readonly unknown[] {
  return attempts
    .filter(({ response }) => {
      if (response.status === 201) return false;
      const isProblem = response.headers['content-type']?.startsWith('application/problem+json') ?? false;
      return !(response.status === 503 && isProblem && response.headers['retry-after'] !== undefined);
    })
    .map(({ response }) => [response.status, response.text]);
}

/** Lines that were logged as errors of the product; an unreachable database is none. */
function unknownErrors(of: Api): readonly string[] {
  return of
    .logs()
    .split('\n')
    .filter((line) => line.includes('"code":"internal_error"') || line.includes('"level":"fatal"'));
}
