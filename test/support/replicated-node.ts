import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { PostgresSettings } from '../../libs/embedded/postgres-cluster.js';
import { LocalPostgres, newFolder, type PostgresPlace } from './local-postgres.js';
import { serverPorts } from './ports.js';
import { cloneServer } from './postgres-clone.js';
import type { PostgresNode } from './postgres-node.js';
import { runSql } from './test-database.js';
import { waitFor } from './wait.js';

/** Messages in the log of a standby that can never continue from its data. */
const diverged =
  /before current recovery point|not in this server's history|not a child of this server's history|has already been removed|is behind recovery timeline/;

export class ReplicatedNode extends LocalPostgres implements PostgresNode {
  readonly name: string;
  private upstream: string | null = null;
  /** Null: commits wait for nobody. */
  private readonly confirming: Set<string> | null;

  constructor(name: string, place: PostgresPlace, settings: PostgresSettings, isSynchronous: boolean) {
    super(place, { ...settings, cluster_name: name });
    this.name = name;
    this.confirming = isSynchronous ? new Set() : null;
  }

  /** An empty folder for a replica of this server. */
  async newReplica(name: string): Promise<ReplicatedNode> {
    const directory = await newFolder();
    const [port = 0] = await serverPorts(1);
    const folder = join(directory, 'cluster');
    const files = { data: join(folder, 'data'), log: join(folder, 'postgres.log') };
    return new ReplicatedNode(
      name,
      { directory, port, cluster: { ...this.place.cluster, ...files } },
      this.settings,
      this.confirming !== null,
    );
  }

  async pauseReplay(): Promise<void> {
    await this.query('SELECT pg_wal_replay_pause()');
    await this.until("pg_get_wal_replay_pause_state() = 'paused'");
  }

  async resumeReplay(): Promise<void> {
    await this.query('SELECT pg_wal_replay_resume()');
  }

  async setApplyDelay(ms: number): Promise<void> {
    await this.configure('recovery_min_apply_delay', `${ms}ms`);
    await this.until(`(SELECT setting = '${ms}' FROM pg_settings WHERE name = 'recovery_min_apply_delay')`);
  }

  /** From then on its commits wait for a standby, where they are synchronous; at first for its own primary of before, which is not there. */
  async promote(): Promise<void> {
    this.confirming?.clear();
    if (this.confirming !== null) await this.waitFor([this.upstream ?? '']);
    await this.query('SELECT pg_promote(wait => true)');
    await this.until('NOT pg_is_in_recovery()');
  }

  async follow(upstream: ReplicatedNode): Promise<void> {
    if (!(await this.isStandby()) || !(await this.goesOnFrom(upstream))) await this.cloneFrom(upstream);
    else await this.confirm(upstream);
  }

  /** Only a standby on the timeline of its primary may confirm: it does so by its position alone. */
  private async confirm(upstream: ReplicatedNode): Promise<void> {
    this.upstream = upstream.name;
    if (upstream.confirming === null) return;
    await upstream.waitFor([...upstream.confirming.add(this.name)]);
  }

  private waitFor(names: readonly string[]): Promise<void> {
    return this.configure('synchronous_standby_names', `ANY 1 (${names.join()})`);
  }

  /** Replaces its data by a copy of the upstream. */
  async cloneFrom(upstream: ReplicatedNode): Promise<void> {
    await this.kill();
    await cloneServer(upstream.adminUrl, this.place.cluster);
    this.settings = { ...this.settings, primary_conninfo: this.connectionTo(upstream) };
    await this.start();
    await waitFor(() => this.streamsFrom(upstream), { timeoutMs: 30_000, what: `${this.name} to stream` });
    await this.confirm(upstream);
  }

  private async isStandby(): Promise<boolean> {
    return stat(join(this.place.cluster.data, 'standby.signal')).then(
      () => true,
      () => false,
    );
  }

  /** Whether its data fits the upstream's history, so that it now streams from there. */
  private async goesOnFrom(upstream: PostgresNode): Promise<boolean> {
    if (!this.isRunning) await this.start();
    await this.resumeReplay();
    const { size } = await stat(this.place.cluster.log);
    await this.configure('primary_conninfo', this.connectionTo(upstream));
    const outcome = await waitFor(
      async () => {
        if (await this.streamsFrom(upstream)) return { streams: true };
        return (await this.hasDiverged(size)) ? { streams: false } : null;
      },
      { timeoutMs: 30_000, what: `${this.name} to follow ${upstream.name}` },
    );
    return outcome.streams;
  }

  private async hasDiverged(logged: number): Promise<boolean> {
    const log = await readFile(this.place.cluster.log);
    return diverged.test(log.subarray(logged).toString());
  }

  /** Waits until both ends agree that it is connected and has caught up. */
  private async streamsFrom(upstream: PostgresNode): Promise<boolean> {
    const receiving = 'SELECT FROM pg_stat_wal_receiver WHERE status = $1 AND sender_port = $2';
    const sending = 'SELECT FROM pg_stat_replication WHERE state = $1 AND application_name = $2';
    const here = await this.query(receiving, ['streaming', upstream.port]);
    const there = await runSql(upstream.adminUrl, sending, ['streaming', this.name]);
    return here.length > 0 && there.length > 0;
  }

  private connectionTo(upstream: PostgresNode): string {
    const { username, password } = new URL(upstream.adminUrl);
    const account = `user=${username} password=${password} application_name=${this.name}`;
    return `host=127.0.0.1 port=${upstream.port} ${account}`;
  }

  private async configure(setting: string, value: string): Promise<void> {
    await this.query(`ALTER SYSTEM SET ${setting} = '${value}'`);
    await this.query('SELECT pg_reload_conf()');
  }

  private async until(condition: string): Promise<void> {
    const isTrue = async (): Promise<boolean> =>
      (await this.query(`SELECT ${condition} AS met`))[0]?.['met'] === true;
    await waitFor(isTrue, { intervalMs: 20, what: `${condition} on ${this.name}` });
  }

  private query(sql: string, values: readonly unknown[] = []): ReturnType<typeof runSql> {
    return runSql(this.adminUrl, sql, values);
  }
}
