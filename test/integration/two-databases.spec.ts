import { jest } from '@jest/globals';
import type { Protection } from '../consistency/protections/names.js';
import type { Session } from '../support/client.js';
import { startFleet, type Fleet, type FleetMember } from '../support/fleet.js';
import { ownedByTests } from '../support/owned.js';
import { serverPorts } from '../support/ports.js';
import { startRedis, type TestRedis } from '../support/redis.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { sharedDatabase } from '../support/test-database.js';
import { waitFor } from '../support/wait.js';

// Longer where a program has to be installed first, or an attempt is made again.
jest.setTimeout(180_000);

const { owned, stopAll } = ownedByTests();

interface Split {
  readonly accounts: FleetMember;
  readonly tasks: FleetMember;
  readonly redis: TestRedis;
  /** To Redis: that of accounts, and that of tasks. */
  readonly paths: readonly [TcpProxy, TcpProxy];
}

/** Accounts and tasks as two processes, each with a database of its own, that share Redis. */
async function startSplit(without?: Protection): Promise<Split> {
  const redis = await owned(startRedis());
  const paths = [await owned(startTcpProxy(redis.port)), await owned(startTcpProxy(redis.port))] as const;
  const [ownerPort = 0] = await serverPorts(1);
  const urls = [await sharedDatabase('accounts'), await sharedDatabase('tasks')];
  const hook = ['--import', './scripts/built-hook.mjs', 'test/consistency/process/main.ts'];
  const throughPath = (n: number) => redis.url.replace(String(redis.port), String(paths[n]?.port));
  const fleet: Fleet = await owned(
    startFleet({
      size: 2,
      program: without === undefined ? hook : [...hook, without],
      env: (n) => ({
        DATABASE_URL: urls[n],
        REDIS_URL: throughPath(n),
        ...(n === 0
          ? { TEST_PART: 'accounts', TEST_OWNER_PORT: String(ownerPort) }
          : { TEST_PART: 'tasks', TEST_OWNER_URLS: `http://127.0.0.1:${ownerPort}` }),
      }),
    }),
  );
  const split = { accounts: fleet.member(0), tasks: fleet.member(1), redis, paths };
  await untilTrusted(split);
  return split;
}

/** Every second in which a process is too slow to be heard delays the trust in the caches. */
const caching = { timeoutMs: 30_000, what: 'the use of the caches' };

async function untilTrusted({ accounts, tasks }: Split): Promise<void> {
  for (const member of [accounts, tasks])
    await waitFor(async () => (await member.metric('consistency_trusted')) === 1, caching);
}

const list = ({ tasks }: Split, { accessToken: token }: Session) =>
  tasks.request('GET', '/v1/tasks', { token });
const logout = ({ accounts }: Split, { accessToken: token }: Session) =>
  accounts.request('POST', '/v1/auth/logout', { token });
const sessionHits = ({ tasks }: Split) =>
  tasks.metric('cache_requests_total', { cache: 'sessions', result: 'hit' });

/**
 * Whether an ended session was accepted in one of three attempts. A process that is too slow to be heard within a second loses
 * trust for that reason alone, and the session is then checked as it should be. What an attempt started ends with it: its
 * processes would take leases of the databases that the next attempt uses.
 */
async function acceptedOnce(attempt: () => Promise<number>): Promise<boolean> {
  for (let n = 0; n < 3; n++) {
    if ((await attempt()) === 200) return true;
    await stopAll();
  }
  return false;
}

/** A user whose session tasks has in its cache. */
async function loginCached(split: Split): Promise<Session> {
  const session = await split.accounts.registerAndLogin();
  const before = await sessionHits(split);
  await waitFor(async () => {
    expect((await list(split, session)).status).toBe(200);
    return (await sessionHits(split)) > before;
  }, caching);
  return session;
}

describe('a session that accounts ends', () => {
  it('is refused by the next request to tasks, which keeps sessions in its cache', async () => {
    const split = await startSplit();
    for (let n = 0; n < 5; n++) {
      const session = await loginCached(split);
      expect((await logout(split, session)).status).toBe(204);
      expect((await list(split, session)).status).toBe(401);
    }
  });

  /** Accounts loses Redis, takes the lease of its own database, and ends the session. */
  async function endWithoutRedis(without?: Protection): Promise<number> {
    const split = await startSplit(without);
    const session = await loginCached(split);
    split.paths[0].cut();
    expect((await logout(split, session)).status).toBe(204);
    return (await list(split, session)).status;
  }

  it('is refused by tasks although accounts has lost Redis and tasks has not', async () => {
    expect(await endWithoutRedis()).toBe(401);
  });

  it('would be accepted if tasks looked at the leases of its own database only', async () => {
    expect(await acceptedOnce(() => endWithoutRedis('owner-lease'))).toBe(true);
  });

  /** The session ends, and then Redis comes back with what it had before. */
  async function endBeforeOlderRedis(without?: Protection): Promise<number> {
    const split = await startSplit(without);
    const session = await loginCached(split);
    await split.redis.command('EVAL', copyAll, '0');
    expect((await logout(split, session)).status).toBe(204);
    for (const path of split.paths) path.cut();
    await split.redis.command('SWAPDB', '0', '1');
    for (const path of split.paths) path.restore();
    await waitFor(async () => (await split.tasks.metric('consistency_trusted')) === 0);
    await untilTrusted(split);
    return (await list(split, session)).status;
  }

  it('is refused by tasks after Redis has come back as an older copy', async () => {
    expect(await endBeforeOlderRedis()).toBe(401);
  });

  it('would be accepted then if tasks raised the minimum position of its own database only', async () => {
    expect(await acceptedOnce(() => endBeforeOlderRedis('owner-minimum'))).toBe(true);
  });
});

describe('tasks without the owner of the accounts', () => {
  it('trusts no session, and caches again when the owner answers', async () => {
    const split = await startSplit();
    const session = await loginCached(split);
    process.kill(split.accounts.api.pid, 'SIGSTOP');
    try {
      await waitFor(async () => (await split.tasks.metric('consistency_trusted')) === 0);
      expect((await list(split, session)).status).toBe(503);
    } finally {
      process.kill(split.accounts.api.pid, 'SIGCONT');
    }
    await untilTrusted(split);
    expect((await list(split, session)).status).toBe(200);
  });
});

/** Copies everything into database 1. */
const copyAll = `
  redis.call('SELECT', 1)
  redis.call('FLUSHDB')
  redis.call('SELECT', 0)
  for _, key in ipairs(redis.call('KEYS', '*')) do redis.call('COPY', key, key, 'DB', 1) end`;
