import type { PostgresSettings } from '../../libs/embedded/postgres-cluster.js';
import { newPlace } from './local-postgres.js';
import { getBinaries } from './postgres-on-machine.js';
import type { PostgresNode } from './postgres-node.js';
import { ReplicatedNode } from './replicated-node.js';
import { stopTogether } from './start-together.js';

export type { PostgresNode } from './postgres-node.js';

export interface ReplicatedPostgres {
  readonly primary: PostgresNode;
  readonly replicas: readonly PostgresNode[];
  stop(): Promise<void>;
}

export interface ReplicationOptions {
  /** Major version, 15 to 18. Default: 18. */
  readonly version?: number;
  /** Default: 2. */
  readonly replicas?: number;
  /** Settings of all nodes, in addition to `fsync = off`, which only a power loss would reveal. */
  readonly settings?: PostgresSettings;
  /** A commit waits until any one of the replicas has it too. */
  readonly synchronous?: boolean;
}

const common: PostgresSettings = {
  fsync: false,
  max_connections: 200,
  wal_level: 'replica',
  max_wal_senders: 10,
  hot_standby: true,
  hot_standby_feedback: true,
  // Instead of slots: after a promotion, these would remain on the old primary.
  wal_keep_size: '1GB',
  wal_retrieve_retry_interval: '100ms',
  wal_receiver_status_interval: '1s',
};

/**
 * Starts a throw-away primary with streaming physical replicas, with the programs of that version from npm or from this
 * machine, or else, with INSTALL_SYSTEM_PACKAGES=true, from the system package.
 * @throws Error that says what to install; a suite is never skipped because a server is missing.
 */
export async function startReplicatedPostgres(options: ReplicationOptions = {}): Promise<ReplicatedPostgres> {
  const { version = 18, replicas: count = 2, synchronous = false } = options;
  const binaries = await getBinaries(version);
  const settings = { ...common, ...options.settings };
  const primary = new ReplicatedNode('primary', await newPlace(binaries), settings, synchronous);
  const nodes = [primary];
  const stop = (): Promise<void> => stopTogether(nodes);
  try {
    await primary.start();
    for (let n = 1; n <= count; n += 1) nodes.push(await primary.newReplica(`replica${n}`));
    const replicas = nodes.slice(1);
    for (const replica of replicas) await replica.cloneFrom(primary);
    return { primary, replicas, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
