import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startApi, type Api } from './api.js';
import { client, type Client } from './client.js';
import { sharedSettings } from './shared-settings.js';
import { sharedDatabase } from './test-database.js';

export interface FleetOptions {
  readonly size: number;
  /** Default: a new database on the shared server. */
  readonly databaseUrl?: string;
  /** Variables in addition to those that every test needs; undefined removes one. A function gets the number of the process. */
  readonly env?: Environment | ((n: number) => Environment);
  /** Arguments of Node that replace the app of `dist`. */
  readonly program?: readonly string[];
}
type Environment = Readonly<Record<string, string | undefined>>;

export interface FleetMember extends Client {
  readonly api: Api;
  /** Value of a metric, summed over all labels that are not given. */
  metric(name: string, labels?: Readonly<Record<string, string>>): Promise<number>;
}

export interface Fleet {
  readonly members: readonly FleetMember[];
  /** By number; numbers beyond the last process wrap around. */
  member(n: number): FleetMember;
  stop(): Promise<void>;
}

/** Starts several API processes of one service: they share database, keys and issuer. */
export async function startFleet({ size, databaseUrl, env = {}, program }: FleetOptions): Promise<Fleet> {
  const folder = await mkdtemp(join(tmpdir(), 'task-api-fleet-'));
  const url = databaseUrl ?? (await sharedDatabase('fleet'));
  const common = await sharedSettings(folder);
  const members: FleetMember[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(members.map(({ api }) => api.kill()));
    for (const each of members) each.close();
    await rm(folder, { recursive: true, force: true });
  };
  const start = async (n: number): Promise<FleetMember> => {
    const own = typeof env === 'function' ? env(n) : env;
    const api = await startApi({
      databaseUrl: url,
      mailDir: join(folder, 'mail'),
      env: { ...common, ...own },
      timeoutMs: 60_000,
      ...(program !== undefined && { program }),
    });
    const member = { ...client(api.url), api, metric: metricOf(api) };
    members[n] = member;
    return member;
  };
  try {
    // The first one starts alone, because it runs the migrations.
    await start(0);
    await Promise.all(Array.from({ length: size - 1 }, (_, n) => start(n + 1)));
  } catch (error) {
    await stop();
    throw error;
  }
  const member = (n: number): FleetMember => {
    const found = members[n % size];
    if (found === undefined) throw new Error('A fleet has at least one member.');
    return found;
  };
  return { members, member, stop };
}

const metricOf =
  ({ opsUrl }: Api): FleetMember['metric'] =>
  async (name, labels = {}) => {
    const response = await fetch(`${opsUrl}/metrics`, { signal: AbortSignal.timeout(5000) });
    const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
    return (await response.text())
      .split('\n')
      .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
      .filter((line) => wanted.every((each) => line.includes(each)))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  };
