import type { PostgresNode, ReplicatedPostgres } from '../../support/replicated-postgres.js';
import { createDatabase, runSql } from '../../support/test-database.js';

/** A primary and its replicas; a promotion changes their roles. */
export class Databases {
  readonly part: string | null;
  private readonly servers: ReplicatedPostgres;
  private name = '';
  private current: PostgresNode;

  private constructor(servers: ReplicatedPostgres, part: string | null) {
    this.servers = servers;
    this.part = part;
    this.current = servers.primary;
  }

  /** `part`: of the features, where each part has a database of its own. */
  static async create(servers: ReplicatedPostgres, part: string | null = null): Promise<Databases> {
    const databases = new Databases(servers, part);
    await databases.renew();
    return databases;
  }

  /** Switches to another, empty database on the same servers. */
  async renew(): Promise<void> {
    const url = await createDatabase(this.current.adminUrl, 'consistency');
    this.name = new URL(url).pathname.slice(1);
  }

  get nodes(): readonly PostgresNode[] {
    return [this.servers.primary, ...this.servers.replicas];
  }

  get primary(): PostgresNode {
    return this.current;
  }

  get replicas(): readonly PostgresNode[] {
    return this.nodes.filter((node) => node !== this.current);
  }

  urlOf(node: PostgresNode): string {
    return node.url(this.name);
  }

  /** The URL lists all servers; the one that accepts writes is the primary. */
  get anyUrl(): string {
    const url = new URL(this.urlOf(this.servers.primary));
    const hosts = this.nodes.map(({ port }) => `127.0.0.1:${port}`).join(',');
    return `${url.protocol}//${url.username}:${url.password}@${hosts}${url.pathname}`;
  }

  /** After the end of the primary: promotes the most advanced replica; the others follow it, including the old primary. */
  async failOver(): Promise<void> {
    const old = this.current;
    await this.promoteBest();
    await old.follow(this.current);
  }

  /** The same, but the old primary is left alone. */
  async promoteBest(): Promise<void> {
    const old = this.current;
    const positions = await Promise.all(
      this.replicas.map(async (node) => ({ node, position: await receivedBy(node) })),
    );
    const [freshest] = positions.sort((a, b) => b.position - a.position);
    if (freshest === undefined) throw new Error('There is no replica to promote.');
    const next = freshest.node;
    await next.promote();
    this.current = next;
    for (const node of this.replicas) if (node !== old) await node.follow(next);
  }
}

async function receivedBy(node: PostgresNode): Promise<number> {
  const position = "pg_wal_lsn_diff(pg_last_wal_receive_lsn(), '0/0')::float8";
  const [row] = await runSql(node.adminUrl, `SELECT ${position} AS position`);
  return Number(row?.['position']);
}
