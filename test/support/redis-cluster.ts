import { randomBytes } from 'node:crypto';
import { serverPorts } from './ports.js';
import { startRedis, type TestRedis } from './redis.js';
import { startTogether, stopTogether } from './start-together.js';
import { waitFor } from './wait.js';

export interface TestRedisCluster {
  /** Masters with a third of the slots each. One that was killed and started again rejoins the cluster, empty. */
  readonly nodes: readonly TestRedis[];
  /** A URL of any node, for clients to connect to first. */
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
  readonly password: string;
  stop(): Promise<void>;
}

const slots = 16_384;
const masters = 3;

/** Starts a throw-away Redis Cluster of three masters without replicas; needs Redis 7 or later. */
export async function startRedisCluster(): Promise<TestRedisCluster> {
  const password = randomBytes(16).toString('hex');
  const busPorts = await serverPorts(masters);
  const nodes = await startTogether(busPorts.map((busPort) => startNode(password, busPort)));
  try {
    await unite(nodes, busPorts);
  } catch (error) {
    await stopTogether(nodes);
    throw error;
  }
  const hosts = nodes.map(({ port }) => ({ host: '127.0.0.1', port }));
  return { nodes, hosts, password, stop: () => stopTogether(nodes) };
}

function startNode(password: string, busPort: number): Promise<TestRedis> {
  const settings = {
    'cluster-enabled': 'yes',
    // By default it would be 10,000 above the client port, which may be in use.
    'cluster-port': String(busPort),
    'cluster-node-timeout': '2000',
  };
  return startRedis({ password, settings });
}

/** Assigns the slots, introduces the nodes to each other, and waits until all of them serve. */
async function unite(nodes: readonly TestRedis[], busPorts: readonly number[]): Promise<void> {
  for (const [index, node] of nodes.entries()) {
    const first = Math.floor((index * slots) / masters);
    const last = Math.floor(((index + 1) * slots) / masters) - 1;
    await node.command('CLUSTER', 'ADDSLOTSRANGE', String(first), String(last));
    // Sets different epochs at the start, as redis-cli does, so that the nodes need not resolve a conflict.
    await node.command('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1));
    await nodes[0]?.command('CLUSTER', 'MEET', '127.0.0.1', String(node.port), String(busPorts[index]));
  }
  for (const node of nodes) await waitFor(() => isWhole(node), { timeoutMs: 20_000, what: 'the cluster' });
}

async function isWhole(node: TestRedis): Promise<boolean> {
  const info = String(await node.command('CLUSTER', 'INFO'));
  return info.includes('cluster_state:ok') && info.includes(`cluster_size:${masters}`);
}
