import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newBuild, type Build, type BuildName } from '../consistency/builds/build.js';
import { prepareOldBuild, previousRef } from '../consistency/builds/old-build.js';
import { startApi, type Api } from '../support/api.js';
import { client, type Client } from '../support/client.js';
import { startRedis } from '../support/redis.js';
import { runApp } from '../support/run.js';
import { sharedSettings } from '../support/shared-settings.js';
import { sharedDatabase } from '../support/test-database.js';

export interface Member extends Client {
  readonly api: Api;
}

/** A process of each build on the same Postgres, Redis and keys, in the middle of a rolling update. */
export interface SideBySide extends Readonly<Record<BuildName, Member>> {
  /** A process of the new build without caches. */
  readonly uncached: Member;
  readonly databaseUrl: string;
  readonly mailDir: string;
  /** Starts one more process of the old build, as a rollback does. */
  startOld(): Promise<Api>;
  stop(): Promise<void>;
}

export async function startSideBySide(): Promise<SideBySide> {
  const stops: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const each of stops.toReversed()) await each();
  };
  try {
    return { ...(await startMembers(stops)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** In the order of a deployment: the old build, the migrations of the new one, the new build. */
async function startMembers(stops: (() => Promise<unknown>)[]): Promise<Omit<SideBySide, 'stop'>> {
  const oldBuild = await prepareOldBuild(await previousRef());
  const { databaseUrl, mailDir, env } = await sharedPlace(stops);
  const start = async ({ root }: Build, more: Environment = {}): Promise<Api> => {
    const api = await startApi({ root, databaseUrl, mailDir, env: { ...env, ...more }, timeoutMs: 60_000 });
    stops.push(() => api.kill());
    return api;
  };
  const startMember = async (build: Build, more?: Environment): Promise<Member> => {
    const api = await start(build, more);
    const member = { ...client(api.url), api };
    stops.push(() => Promise.resolve(member).then((each) => each.close()));
    return member;
  };
  const old = await startMember(oldBuild);
  const { code, output } = await runApp(
    'migrate',
    [],
    { DATABASE_URL: databaseUrl },
    { root: newBuild.root },
  );
  if (code !== 0) throw new Error(`The migrations of the new build failed:\n${output}`);
  const fresh = await startMember(newBuild);
  const uncached = await startMember(newBuild, { CACHE_ENABLED: 'false' });
  return { old, new: fresh, uncached, databaseUrl, mailDir, startOld: () => start(oldBuild) };
}

type Environment = Readonly<Record<string, string>>;

/** What all processes share. */
async function sharedPlace(
  stops: (() => Promise<unknown>)[],
): Promise<{ readonly databaseUrl: string; readonly mailDir: string; readonly env: Environment }> {
  const folder = await mkdtemp(join(tmpdir(), 'task-api-rolling-update-'));
  stops.push(() => rm(folder, { recursive: true, force: true }));
  const redis = await startRedis();
  stops.push(() => redis.stop());
  return {
    databaseUrl: await sharedDatabase('rolling_update'),
    mailDir: join(folder, 'mail'),
    env: { ...(await sharedSettings(folder)), REDIS_URL: redis.url, LOG_LEVEL: 'warn' },
  };
}

/** Runs the action while these processes get no CPU: what they would have done is left to the others. */
export async function whileFrozen<T>(members: readonly Member[], action: () => Promise<T>): Promise<T> {
  for (const { api } of members) process.kill(api.pid, 'SIGSTOP');
  try {
    return await action();
  } finally {
    for (const { api } of members) process.kill(api.pid, 'SIGCONT');
  }
}

/** The names of all caches of the process, and of those that have served an answer. */
export async function cachesOf({ api }: Member): Promise<{ readonly all: string[]; readonly hit: string[] }> {
  const text = await (await fetch(`${api.opsUrl}/metrics`)).text();
  const counts = [...text.matchAll(/^cache_requests_total\{cache="([^"]+)",.*result="(\w+)"\} (\d+)/gm)];
  const names = (some: typeof counts): string[] => [...new Set(some.map(([, name = '']) => name))].sort();
  return {
    all: names(counts),
    hit: names(counts.filter(([, , result, n]) => result === 'hit' && n !== '0')),
  };
}
