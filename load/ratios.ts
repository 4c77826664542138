/**
 * `npm run bench`: every bench that has a figure to reach, one after the other, each in a process of its own; in
 * `npm run bench -- ratios NAME NAME` those that are named. Exit code 1: a figure is missed, or a bench broke down.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { isReached, table, type Figure } from './support/figures.js';

const all = [
  'cached-list',
  'hit-rate',
  'replica-share',
  'list-scale',
  'redis-loss',
  'database-loss',
] as const;

const chosen = process.argv.slice(2);
const names = chosen.length > 0 ? chosen : all;

const figures: Figure[] = [];
const broken: string[] = [];
for (const name of names) {
  process.stdout.write(`\n${name}\n`);
  const found: Figure[] = [];
  const bench = fork(join(import.meta.dirname, `${name}.ts`));
  bench.on('message', (figure) => found.push(figure as Figure));
  const [code] = (await once(bench, 'exit')) as [number | null];
  figures.push(...found);
  // A figure that was missed fails it too, and shows in the table.
  if (code !== 0 && found.every(isReached)) broken.push(name);
}
process.stdout.write(`\n${table(figures)}`);
for (const name of broken) process.stdout.write(`${name}: broke down\n`);
if (broken.length > 0 || !figures.every(isReached)) process.exitCode = 1;
