import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { getProgram } from '../../test/support/programs.js';
import { runSql } from '../../test/support/test-database.js';
import * as statements from './bare/statements.js';
import type { LoadResult } from './wrk.js';

const execute = promisify(execFile);

/** As the pools of the servers. */
const connections = 10;

/** Random users and tasks: pgbench draws numbers only. */
export async function numberTasks(databaseUrl: string): Promise<void> {
  await runSql(
    databaseUrl,
    `CREATE TABLE bare.numbered (n integer PRIMARY KEY, id uuid NOT NULL, user_id uuid NOT NULL);
     INSERT INTO bare.numbered SELECT row_number() OVER (), id, user_id FROM bare.tasks;`,
  );
}

export interface PgbenchRun {
  readonly databaseUrl: string;
  readonly script: string;
  readonly seconds: number;
  /** Folder for the script. */
  readonly folder: string;
}

/** Runs the bare server's statement as a named one, without a server. */
export async function runPgbench({ databaseUrl, script, seconds, folder }: PgbenchRun): Promise<LoadResult> {
  const [row] = await runSql(databaseUrl, 'SELECT max(n) AS tasks FROM bare.numbered');
  const file = join(folder, `${script}.sql`);
  await writeFile(file, scriptOf(script, Number(row?.['tasks'])));
  const program = await getProgram('pgbench', 'postgresql-contrib');
  const args = ['-n', '-M', 'prepared', '-c', String(connections), '-T', String(seconds), '-f', file];
  const { stdout } = await execute(program, [...args, databaseUrl]);
  return parsePgbench(stdout, seconds);
}

/** The statement with values in place of its parameters. */
function scriptOf(name: string, tasks: number): string {
  const owner = '(SELECT user_id FROM bare.numbered WHERE n = :n)';
  const values: Readonly<Record<string, readonly [statements.Statement, ...string[]]>> = {
    list: [statements.list, owner],
    get: [statements.get, '(SELECT id FROM bare.numbered WHERE n = :n)', owner],
    create: [
      statements.create,
      'gen_random_uuid()',
      owner,
      `'Prepare the quarterly report'`,
      `'Collect the figures, then write the summary.'`,
      `'todo'`,
      `'medium'`,
      'NULL',
      `'{work,finance}'`,
    ],
  };
  const [statement, ...given] = values[name] ?? [];
  if (statement === undefined) throw new Error(`There is no statement for ${name}.`);
  const text = statement.text.replaceAll(/\$(\d)/g, (_, n: string) => given[Number(n) - 1] ?? '');
  return `\\set n random(1, ${tasks})\n${text};\n`;
}

/** It tells no percentiles. @throws Error where there is no result */
export function parsePgbench(output: string, seconds: number): LoadResult {
  const [, tps] = /^tps = ([\d.]+)/m.exec(output) ?? [];
  const [, failed = '0'] = /^number of failed transactions: (\d+)/m.exec(output) ?? [];
  if (tps === undefined) throw new Error(`pgbench printed no result:\n${output}`);
  const perSecond = Number(tps);
  const unknown = { p50: NaN, p95: NaN, p99: NaN };
  const failures = { refused: Number(failed), timedOut: 0, broken: 0 };
  return { requests: Math.round(perSecond * seconds), perSecond, ...unknown, ...failures };
}
