import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../libs/embedded/embedded-postgres.js';
import { killWithChildren } from '../support/kill-processes.js';
import { runSql } from '../support/test-database.js';

describe('startEmbeddedPostgres', () => {
  let directory: string;
  const started: EmbeddedPostgres[] = [];

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'embedded-postgres-'));
    await chmod(directory, 0o755);
  });

  afterEach(async () => {
    for (const postgres of started.splice(0)) await postgres.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const start = async (): Promise<EmbeddedPostgres> => {
    const postgres = await startEmbeddedPostgres({ directory, database: 'app', settings: { fsync: false } });
    started.push(postgres);
    return postgres;
  };

  const postmasterFile = (): string => join(directory, 'cluster', 'data', 'postmaster.pid');

  const postmaster = async (): Promise<number> =>
    Number((await readFile(postmasterFile(), 'utf8')).split('\n')[0]);

  const remember = (url: string): Promise<unknown> => runSql(url, 'CREATE TABLE kept AS SELECT 42 AS answer');

  const recall = (url: string): Promise<unknown> => runSql(url, 'SELECT answer FROM kept');

  it('creates a UTF-8 database with checksums that requires a password', async () => {
    const { url } = await start();
    const settings =
      "current_setting('server_encoding') AS encoding, current_setting('data_checksums') AS checksums";
    expect(await runSql(url, `SELECT ${settings}, 'Ä' ILIKE 'ä' AS folds`)).toEqual([
      { encoding: 'UTF8', checksums: 'on', folds: true },
    ]);
    const stranger = new URL(url);
    stranger.password = 'guessed';
    await expect(runSql(stranger.href, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
  });

  it('writes everything to disk by default', async () => {
    const postgres = await startEmbeddedPostgres({ directory, database: 'app' });
    started.push(postgres);
    expect(await runSql(postgres.url, 'SHOW fsync')).toEqual([{ fsync: 'on' }]);
  });

  it('keeps the data after a stop', async () => {
    const first = await start();
    await remember(first.url);
    await first.stop();
    await expect(runSql(first.url, 'SELECT 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    const second = await start();
    expect(await recall(second.url)).toEqual([{ answer: 42 }]);
  });

  it('recovers everything that was committed before the server was killed', async () => {
    const first = await start();
    await remember(first.url);
    await killWithChildren(await postmaster());
    const second = await start();
    expect(await recall(second.url)).toEqual([{ answer: 42 }]);
  });

  it('takes over a server that is already running', async () => {
    const first = await start();
    await remember(first.url);
    const second = await start();
    expect(second.url).toBe(first.url);
    expect(await recall(second.url)).toEqual([{ answer: 42 }]);
  });

  it('keeps the server running until its last user stops', async () => {
    const first = await start();
    const second = await start();
    await first.stop();
    expect(await runSql(second.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    await second.stop();
    await expect(runSql(second.url, 'SELECT 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('shares one server among processes that start at once on an empty directory', async () => {
    const all = await Promise.all([start(), start(), start()]);
    expect(new Set(all.map(({ url }) => url)).size).toBe(1);
    expect(await readdir(directory)).toEqual(['cluster']);
  });

  it('starts although another process now has the pid of a killed server', async () => {
    const first = await start();
    await remember(first.url);
    const lock = await readFile(postmasterFile(), 'utf8');
    await killWithChildren(await postmaster());
    await writeFile(postmasterFile(), lock.replace(/^\d+/, String(process.pid)));
    const second = await start();
    expect(await recall(second.url)).toEqual([{ answer: 42 }]);
  });

  it('starts although a killed initdb left files, and removes them later', async () => {
    const unfinished = join(directory, 'unfinished-abc123');
    await mkdir(join(unfinished, 'data'), { recursive: true });
    const first = await start();
    expect((await readdir(directory)).sort()).toEqual(['cluster', 'unfinished-abc123']);
    await first.stop();
    await utimes(unfinished, new Date(0), new Date(0));
    await start();
    expect(await readdir(directory)).toEqual(['cluster']);
  });

  it('refuses the data of another Postgres version', async () => {
    await (await start()).stop();
    await writeFile(join(directory, 'cluster', 'data', 'PG_VERSION'), '12\n');
    await expect(start()).rejects.toThrow('belongs to Postgres 12');
  });

  it('stops without an error if the server is gone', async () => {
    const { stop } = await start();
    await killWithChildren(await postmaster());
    await expect(stop()).resolves.toBeUndefined();
  });
});
