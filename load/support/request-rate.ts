import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { getProgram } from '../../test/support/programs.js';

const execute = promisify(execFile);
const connections = 64;

/** GETs of the address that are answered in a second, over 64 connections that each send one after the other. */
export async function requestRate(url: string, token: string, seconds: number): Promise<number> {
  const header = `Authorization: Bearer ${token}`;
  const options = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '5s', '-H', header];
  const { stdout } = await execute(await getProgram('wrk'), [...options, url]);
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`Requests were not served:\n${stdout}`);
  const [, rate] = /^Requests\/sec:\s+([\d.]+)/m.exec(stdout) ?? [];
  if (rate === undefined) throw new Error(`wrk printed no rate:\n${stdout}`);
  return Number(rate);
}
