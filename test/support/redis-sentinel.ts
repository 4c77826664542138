import { randomBytes } from 'node:crypto';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serverPorts } from './ports.js';
import { getProgram } from './programs.js';
import { askRedis } from './redis-command.js';
import { configuration, startRedis, type TestRedis } from './redis.js';
import { runServer } from './server-process.js';
import { startTogether, stopTogether } from './start-together.js';
import { waitFor } from './wait.js';

export interface TestRedisSentinel {
  /** The sentinels' name of the master. */
  readonly name: string;
  readonly sentinels: readonly { readonly host: string; readonly port: number }[];
  /** The password of the servers. */
  readonly password: string;
  /** A different one, so that a client that confuses them fails. */
  readonly sentinelPassword: string;
  /** The initial master and the initial replica. */
  readonly nodes: readonly [TestRedis, TestRedis];
  /** The current master according to the sentinels. */
  master(): Promise<TestRedis>;
  /**
   * Kills the master and waits until the sentinels have promoted the replica, which takes about 3 s. When the killed
   * server is started again, they make it a replica within about 10 s.
   */
  failover(): Promise<void>;
  stop(): Promise<void>;
}

export interface SentinelOptions {
  /** 1 to 3. Default: 1. */
  readonly sentinels?: number;
  /** Settings of the servers, such as `min-replicas-to-write`. */
  readonly settings?: Readonly<Record<string, string>>;
}

const name = 'tasks';

/** Starts a throw-away master and replica with sentinels, a majority of which decides on a failover. */
export async function startRedisSentinel(options: SentinelOptions = {}): Promise<TestRedisSentinel> {
  const nodes = await startNodes(options.settings);
  const watchers: Sentinel[] = [];
  const stop = async (): Promise<void> => {
    await stopTogether(watchers);
    await stopTogether(nodes);
  };
  try {
    watchers.push(...(await startSentinels(nodes[0], options.sentinels ?? 1)));
    return controls(nodes, watchers, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

function controls(
  nodes: readonly [TestRedis, TestRedis],
  watchers: readonly Sentinel[],
  stop: () => Promise<void>,
): TestRedisSentinel {
  const master = (): Promise<TestRedis> => masterOf(nodes, watchers);
  return {
    name,
    sentinels: watchers.map(({ port }) => ({ host: '127.0.0.1', port })),
    password: nodes[0].password,
    sentinelPassword: watchers[0]?.password ?? '',
    nodes,
    master,
    failover: async () => {
      const old = await master();
      await old.kill();
      const isPromoted = async (): Promise<boolean> => {
        const next = await master();
        return next !== old && (await roleOf(next)) === 'master';
      };
      await waitFor(isPromoted, { timeoutMs: 30_000, what: 'a new master' });
    },
    stop,
  };
}

async function startNodes(settings: SentinelOptions['settings']): Promise<readonly [TestRedis, TestRedis]> {
  const password = randomBytes(16).toString('hex');
  const common = { masterauth: password, 'repl-diskless-sync-delay': '0', ...settings };
  const master = await startRedis({ password, settings: common });
  try {
    const role = { replicaof: `127.0.0.1 ${master.port}` };
    return [master, await startRedis({ password, settings: { ...common, ...role } })];
  } catch (error) {
    await master.stop();
    throw error;
  }
}

interface Sentinel {
  readonly port: number;
  readonly password: string;
  ask(...args: readonly string[]): Promise<unknown>;
  stop(): Promise<void>;
}

async function startSentinels(master: TestRedis, count: number): Promise<readonly Sentinel[]> {
  const password = randomBytes(16).toString('hex');
  const quorum = Math.floor(count / 2) + 1;
  const ports = await serverPorts(count);
  const watchers = await startTogether(ports.map((port) => startSentinel(port, password, master, quorum)));
  try {
    for (const watcher of watchers) {
      await waitFor(() => knowsAll(watcher, count), { timeoutMs: 20_000, what: 'the sentinels to meet' });
    }
    return watchers;
  } catch (error) {
    await stopTogether(watchers);
    throw error;
  }
}

async function startSentinel(
  port: number,
  password: string,
  master: TestRedis,
  quorum: number,
): Promise<Sentinel> {
  const directory = await mkdtemp(join(tmpdir(), 'redis-sentinel-test-'));
  // A sentinel stores what it discovers in its own configuration file.
  const file = join(directory, 'sentinel.conf');
  await writeFile(file, configuration(sentinelSettings(port, password, master, quorum)), { mode: 0o600 });
  const ask = (...args: readonly string[]): Promise<unknown> =>
    askRedis(`redis://:${password}@127.0.0.1:${port}`, args);
  const server = await runServer({
    program: await getProgram('redis-server'),
    args: [file, '--sentinel'],
    directory,
    isReady: async () => (await ask('PING')) === 'PONG',
  });
  return { port, password, ask, stop: () => server.stop() };
}

function sentinelSettings(
  port: number,
  password: string,
  master: TestRedis,
  quorum: number,
): Readonly<Record<string, string>> {
  return {
    port: String(port),
    bind: '127.0.0.1',
    requirepass: password,
    'sentinel sentinel-pass': password,
    'sentinel monitor': `${name} 127.0.0.1 ${master.port} ${quorum}`,
    'sentinel auth-pass': `${name} ${master.password}`,
    'sentinel down-after-milliseconds': `${name} 1000`,
    'sentinel failover-timeout': `${name} 5000`,
  };
}

/** Waits until a sentinel knows the other sentinels and a replica that can be promoted. */
async function knowsAll(watcher: Sentinel, count: number): Promise<boolean> {
  const others = (await watcher.ask('SENTINEL', 'SENTINELS', name)) as readonly unknown[];
  const replicas = (await watcher.ask('SENTINEL', 'REPLICAS', name)) as readonly (readonly string[])[];
  const isFit = (fields: readonly string[]): boolean =>
    fields[fields.indexOf('flags') + 1] === 'slave' &&
    fields[fields.indexOf('master-link-status') + 1] === 'ok';
  return others.length === count - 1 && replicas.some(isFit);
}

/** Asks the first sentinel, which no test stops. */
async function masterOf(nodes: readonly TestRedis[], watchers: readonly Sentinel[]): Promise<TestRedis> {
  const address = await watchers[0]?.ask('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name);
  const [, port] = address as readonly [string, string];
  const node = nodes.find((each) => each.port === Number(port));
  if (node === undefined)
    throw new Error(`The sentinels name a master on port ${port}, which is none of ours.`);
  return node;
}

async function roleOf(node: TestRedis): Promise<unknown> {
  const [role] = (await node.command('ROLE')) as readonly unknown[];
  return role;
}
