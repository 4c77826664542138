/**
 * `npm run test:consistency -- --seconds N`: runs clients and faults on several API processes, and checks whether what the
 * clients saw keeps the consistency promises. `--without` removes a protection; a violation must then be found.
 * Exit code 1: violations were found, or, with `--without`, none.
 */
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { optionsFrom } from './options.js';
import { run, type Run } from './runner.js';
import { summary } from './summary.js';
import { report } from './checker/violations.js';

const maxReported = 10;

function firstAfter({ violations, beganAt }: Run): string {
  const ends = violations.map(({ operations }) => operations.at(-1)?.completedAt ?? Infinity);
  return ends.length === 0 ? '' : `, the first after ${((Math.min(...ends) - beganAt) / 1000).toFixed(1)} s`;
}

const started = performance.now();
const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
const log = (line: string): void =>
  print(`${((performance.now() - started) / 1000).toFixed(1).padStart(6)} s  ${line}`);

const options = optionsFrom(process.argv.slice(2), log);
print(`seed ${options.seed}`);
const result = await run(options);
const { violations, history } = result;
print(summary(result));
print(`${violations.length} violations${firstAfter(result)}`);
for (const violation of violations.slice(0, maxReported)) print(report(violation));
if (violations.length > 0) {
  const path = join(tmpdir(), `consistency-${options.seed}.jsonl`);
  await history.writeTo(path);
  const logPath = join(tmpdir(), `consistency-${options.seed}.log`);
  await writeFile(logPath, result.logs.join('\n'));
  print(`The history is in ${path}, the log of the processes in ${logPath}.`);
}
const isExpected = options.without !== undefined;
// Explicitly: at the end by itself Node 24 may wait forever for the pipe of a program that has ended already.
process.exit(violations.length > 0 === isExpected ? 0 : 1);
