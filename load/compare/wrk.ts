import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { getProgram } from '../../test/support/programs.js';

const execute = promisify(execFile);
const scripts = join(import.meta.dirname, 'wrk');

export interface WrkRun {
  readonly url: string;
  /** A script of load/compare/wrk, without its ending. */
  readonly script: string;
  readonly connections: number;
  readonly seconds: number;
  /** Folder of the files that the scripts read. */
  readonly data: string;
  /** Grows from run to run by more than the requests of a run. */
  readonly start: number;
}

/** What came back. Latencies are in milliseconds. */
export interface LoadResult {
  readonly requests: number;
  readonly perSecond: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  /** Answers with a status of 400 or more. */
  readonly refused: number;
  /** No answer within two seconds. */
  readonly timedOut: number;
  /** Connections that failed. */
  readonly broken: number;
}

export async function runWrk(run: WrkRun): Promise<LoadResult> {
  const program = await getProgram('wrk');
  const { url, script, connections, seconds, data, start } = run;
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '2s'];
  const env = { COMPARE_SCRIPTS: scripts, COMPARE_DATA: data, COMPARE_START: String(start) };
  const { stdout } = await execute(program, [...args, '-s', join(scripts, `${script}.lua`), url], { env });
  return parseWrk(stdout);
}

/** Reads the line that `done` of shared.lua prints. @throws Error if it is missing */
export function parseWrk(output: string): LoadResult {
  const [, json] = /^COMPARE (.*)$/m.exec(output) ?? [];
  if (json === undefined) throw new Error(`wrk printed no result:\n${output}`);
  const { requests, microseconds, p50, p95, p99, refused, timedOut, broken } = JSON.parse(json) as Record<
    'requests' | 'microseconds' | 'p50' | 'p95' | 'p99' | 'refused' | 'timedOut' | 'broken',
    number
  >;
  const perSecond = requests / (microseconds / 1e6);
  const ms = { p50: p50 / 1000, p95: p95 / 1000, p99: p99 / 1000 };
  return { requests, perSecond, ...ms, refused, timedOut, broken };
}
