/**
 * `npm run bench`: runs every bench that has a target, one after the other, each in its own process.
 * `npm run bench -- ratios NAME NAME` runs only those. Exit code 1: a target was missed, or a bench crashed.
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
  'filters',
  'redis-loss',
  'database-loss',
  'start',
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
  // A bench that misses a target exits with 1 as well; the table shows that.
  if (code !== 0 && found.every(isReached)) broken.push(name);
}
process.stdout.write(`\n${table(figures)}`);
for (const name of broken) process.stdout.write(`${name}: crashed\n`);
if (broken.length > 0 || !figures.every(isReached)) process.exitCode = 1;
