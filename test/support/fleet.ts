import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startApi, type Api } from './api.js';
import { client, type Client } from './client.js';
import { sharedSettings } from './shared-settings.js';
import { sharedDatabase } from './test-database.js';

export interface FleetOptions {
  readonly size: number;
  /** A new one on the shared server unless told. */
  readonly databaseUrl?: string;
  /** On top of what a test needs; undefined takes a variable away. A function is told the number of the process. */
  readonly env?: Environment | ((n: number) => Environment);
}
type Environment = Readonly<Record<string, string | undefined>>;

export interface FleetMember extends Client {
  readonly api: Api;
  /** Value of a metric, summed over what its labels leave open. */
  metric(name: string, labels?: Readonly<Record<string, string>>): Promise<number>;
}

export interface Fleet {
  readonly members: readonly FleetMember[];
  /** By number; those that do not exist begin again from the first. */
  member(n: number): FleetMember;
  stop(): Promise<void>;
}

/** Several processes of the API that are one service: they share database, keys and issuer. */
export async function startFleet({ size, databaseUrl, env = {} }: FleetOptions): Promise<Fleet> {
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
    });
    const member = { ...client(api.url), api, metric: metricOf(api) };
    members[n] = member;
    return member;
  };
  try {
    // The first alone, since it runs the migrations.
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
