import type { PostgresSettings } from '../../libs/embedded/postgres-cluster.js';
import { newPlace } from './local-postgres.js';
import { findOrInstallBinaries } from './postgres-on-machine.js';
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
  /** Major version, 15 to 18. 18 unless told. */
  readonly version?: number;
  /** 2 unless told. */
  readonly replicas?: number;
  /** On top of fsync off, which only a loss of power would show; the same for all nodes. */
  readonly settings?: PostgresSettings;
  /** A commit waits until one of the replicas, whichever, has it too. */
  readonly synchronous?: boolean;
}

const common: PostgresSettings = {
  fsync: false,
  max_connections: 200,
  wal_level: 'replica',
  max_wal_senders: 10,
  hot_standby: true,
  hot_standby_feedback: true,
  // Rather than slots, which a promotion leaves behind on the old primary.
  wal_keep_size: '1GB',
  wal_retrieve_retry_interval: '100ms',
  wal_receiver_status_interval: '1s',
};

/**
 * A throw-away primary with streaming physical replicas, by the version's programs from npm or the machine, else, on
 * Debian as root, what apt-get installs.
 * @throws Error that says what to install; a suite is never skipped for want of a server.
 */
export async function startReplicatedPostgres(options: ReplicationOptions = {}): Promise<ReplicatedPostgres> {
  const { version = 18, replicas: count = 2, synchronous = false } = options;
  const binaries = await findOrInstallBinaries(version);
  if (binaries === null) {
    const remedy = `install its server programs (package postgresql-${version})`;
    throw new Error(`This test needs Postgres ${version}: ${remedy}.`);
  }
  const quorum = synchronous ? { synchronous_standby_names: 'ANY 1 (*)' } : {};
  const settings = { ...common, ...quorum, ...options.settings };
  const primary = new ReplicatedNode('primary', await newPlace(binaries), settings);
  const nodes = [primary];
  const stop = (): Promise<void> => stopTogether(nodes);
  try {
    await primary.start();
    for (let n = 1; n <= count; n += 1) nodes.push(await primary.newReplica(`replica${n}`));
    const replicas = nodes.slice(1);
    await Promise.all(replicas.map((replica) => replica.cloneFrom(primary)));
    return { primary, replicas, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
