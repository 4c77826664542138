import { createPrivateKey, createPublicKey } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '../../test/support/postgres.js';
import { startRedis } from '../../test/support/redis.js';
import { sharedSettings } from '../../test/support/shared-settings.js';
import { runSql } from '../../test/support/test-database.js';
import { roomySettings } from '../support/deployment.js';
import { seedUsers } from '../support/users.js';
import { startApi } from './api/start.js';
import { startBare } from './bare/start.js';
import { copyTasks } from './bare/tables.js';
import { startCached } from './cached/start.js';
import { writeDataFiles } from './data-files.js';
import { numberTasks } from './pgbench.js';
import { startPrisma } from './prisma/start.js';
import { requireSameAnswers } from './same-answers.js';
import type { Common, ComparedServer } from './server.js';
import { rssMib } from './usage.js';
import type { ServerName } from './workloads.js';

/** The servers, and what they all use. */
export interface Stage {
  readonly servers: ReadonlyMap<ServerName, ComparedServer>;
  /** What is compared: the servers, and pgbench if wanted. */
  readonly names: ReadonlySet<ServerName>;
  /** RSS of the API when it was ready. */
  readonly initialRssMib: number;
  /** Folder of the files that the scripts of wrk read. */
  readonly data: string;
  readonly databaseUrl: string;
  readonly postgresPid: number;
  readonly postgresVersion: string;
  readonly redisPid: number;
}

export interface StageOptions {
  readonly servers: ReadonlySet<ServerName>;
  readonly users: number;
  readonly tasksOfEach: number;
  /** More variables of the API. */
  readonly apiEnv?: Readonly<Record<string, string>>;
}

type Stop = () => Promise<unknown>;

/** Starts everything with the data in place, runs `use`, and stops everything, also after a failure. */
export async function withStage(options: StageOptions, use: (stage: Stage) => Promise<void>): Promise<void> {
  const stops: Stop[] = [];
  // So that an end by a signal, too, removes the folder. The servers end with this process.
  process.once('SIGINT', () => process.exit(130));
  process.once('SIGTERM', () => process.exit(143));
  try {
    await use(await openStage(options, stops));
  } finally {
    for (const stop of stops.toReversed()) await stop();
  }
}

async function openStage(
  { servers, users, tasksOfEach, apiEnv }: StageOptions,
  stops: Stop[],
): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'task-api-compare-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const redis = await startRedis();
  stops.push(() => redis.stop());
  const postgres = await startPostgres({ version: 15, settings: roomySettings });
  stops.push(() => postgres.stop());
  const settings = await sharedSettings(folder);
  const publicKey = await publicKeyOf(join(folder, 'key.pem'));
  const common = { folder, databaseUrl: postgres.url, redisUrl: redis.url, settings, publicKey };

  const started = new Map<ServerName, ComparedServer>();
  const add = async (name: ServerName, start: (common: Common) => Promise<ComparedServer>): Promise<void> => {
    const server = await start(common);
    stops.push(() => server.stop());
    started.set(name, server);
  };
  // The API is always there: it makes the tables and the tokens.
  await add('api', (all) => startApi(all, apiEnv));
  const initialRssMib = rssMib(started.get('api')?.pid ?? 0);
  const apis = [...started.values()];
  const seeded = await seedUsers(
    { apis, databaseUrl: postgres.url, redis, root: undefined },
    { users, tasksOfEach },
  );
  const { head, tail } = await writeDataFiles(folder, apis[0]?.url ?? '', seeded);
  await copyTasks(postgres.url, 'bare');
  if (servers.has('prisma')) await copyTasks(postgres.url, 'prisma');
  if (servers.has('pgbench')) await numberTasks(postgres.url);
  await runSql(postgres.url, 'VACUUM ANALYZE');
  if (servers.has('bare')) await add('bare', startBare);
  if (servers.has('prisma')) await add('prisma', startPrisma);
  if (servers.has('cached')) await add('cached', startCached);
  await requireSameAnswers(
    [...started.values()],
    seeded[0]?.token ?? '',
    `${head}${'MDAw'.repeat(4)}${tail}`,
  );
  return {
    servers: started,
    names: servers,
    initialRssMib,
    data: folder,
    databaseUrl: postgres.url,
    postgresPid: await postmasterOf(postgres.url),
    postgresVersion: await versionOf(postgres.url),
    redisPid: Number(/process_id:(\d+)/.exec(String(await redis.command('INFO', 'server')))?.[1]),
  };
}

async function publicKeyOf(file: string): Promise<string> {
  const key = createPublicKey(createPrivateKey(await readFile(file, 'utf8')));
  return key.export({ type: 'spki', format: 'pem' }).toString();
}

async function postmasterOf(databaseUrl: string): Promise<number> {
  const [row] = await runSql(databaseUrl, "SELECT current_setting('data_directory') AS folder");
  const [pid] = (await readFile(join(String(row?.['folder']), 'postmaster.pid'), 'utf8')).split('\n');
  return Number(pid);
}

async function versionOf(databaseUrl: string): Promise<string> {
  const [row] = await runSql(
    databaseUrl,
    "SELECT split_part(current_setting('server_version'), ' ', 1) AS version",
  );
  return String(row?.['version']);
}
