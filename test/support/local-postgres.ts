import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PostgresBinaries } from '../../libs/embedded/postgres-binaries.js';
import {
  findServer,
  openCluster,
  serverUrl,
  startServer,
  type PostgresCluster,
  type PostgresSettings,
} from '../../libs/embedded/postgres-cluster.js';
import { endWithUs } from './end-with-us.js';
import { killWithChildren, signal, signalWithChildren, untilGone } from './kill-processes.js';
import { serverPorts } from './ports.js';
import type { RunningServer } from './running-server.js';

/** The folder of a server, with its cluster; it is removed with the server. */
export interface PostgresPlace {
  readonly directory: string;
  readonly cluster: PostgresCluster;
  readonly port: number;
}

/** A new, empty cluster. */
export async function newPlace(binaries: PostgresBinaries): Promise<PostgresPlace> {
  const directory = await newFolder();
  const [port = 0] = await serverPorts(1);
  try {
    return { directory, cluster: await openCluster(directory, binaries), port };
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

export async function newFolder(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'postgres-test-'));
  // The server's account must be able to enter the folder.
  await chmod(directory, 0o755);
  return directory;
}

/** Starts a server with programs of this machine. It ends at the latest with this process. */
export class LocalPostgres implements RunningServer {
  protected readonly place: PostgresPlace;
  protected settings: PostgresSettings;
  private running: { readonly pid: number; readonly release: () => void } | null = null;

  constructor(place: PostgresPlace, settings: PostgresSettings) {
    this.place = place;
    // In the folder, because /dev/shm keeps the memory of a killed server, and is small in containers.
    this.settings = { dynamic_shared_memory_type: 'mmap', ...settings };
  }

  get port(): number {
    return this.place.port;
  }

  get adminUrl(): string {
    return this.url('postgres');
  }

  url(database: string): string {
    return serverUrl(this.place.cluster, this.port, database);
  }

  get isRunning(): boolean {
    return this.running !== null;
  }

  async start(): Promise<void> {
    await startServer(this.place.cluster, this.port, this.settings);
    const pid = (await findServer(this.place.cluster))?.pid;
    if (pid === undefined) throw new Error('Postgres ended as soon as it had started.');
    const release = endWithUs({ pid, signal: 'SIGQUIT', directory: this.place.directory });
    this.running = { pid, release };
  }

  async kill(): Promise<void> {
    await this.end(killWithChildren);
  }

  pause(): void {
    if (this.running !== null) signalWithChildren(this.running.pid, 'SIGSTOP');
  }

  resume(): void {
    if (this.running !== null) signalWithChildren(this.running.pid, 'SIGCONT');
  }

  /** Stops it at once, because its data is thrown away: a proper shutdown would wait for standbys, which may hang. */
  async stop(): Promise<void> {
    this.resume();
    await this.end(async (pid) => {
      signal(pid, 'SIGQUIT');
      await untilGone([pid]);
    });
    await rm(this.place.directory, { recursive: true, force: true });
  }

  private async end(by: (pid: number) => Promise<void>): Promise<void> {
    if (this.running === null) return;
    const { pid, release } = this.running;
    await by(pid);
    release();
    this.running = null;
  }
}
