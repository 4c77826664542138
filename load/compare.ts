/**
 * `npm run bench -- compare [options]`: this API as production runs it, against a bare server, Express with Prisma, a bare cached
 * read and pgbench, in one run on the same Postgres and data. With all workloads, 64 and 1,000 connections, it takes about 40
 * minutes. Exit code 1: a target was missed. Options:
 *
 * - `--only list,get,…`, `--servers api,bare,…`, `--connections 64`: a part of it;
 * - `--rounds 3 --seconds 3 --warm-up 3`: shorter;
 * - `--without-own-indexes`: also creates without the product's further indexes, which a run of everything contains;
 * - `--write`: writes docs/development/compare.md and compare.svg.
 */
import { parseOptions } from './compare/options.js';
import { withoutIndexes } from './compare/own-indexes.js';
import { writePage } from './compare/page.js';
import { runRounds } from './compare/rounds.js';
import { withStage, type Stage } from './compare/stage.js';
import { summaryOf, type Comparison } from './compare/summary.js';
import { plainTable } from './compare/table.js';
import { figuresOf } from './compare/targets.js';
import type { Workload } from './compare/workloads.js';
import { report, say } from './support/figures.js';

const options = parseOptions(process.argv.slice(2));
await withStage(options, async (stage) => {
  say(`ready after ${(performance.now() / 1000).toFixed(0)} s`);
  const comparisons: Comparison[] = [];
  for (const connections of options.connections) {
    for (const workload of options.workloads) {
      const comparison = await compare(stage, workload, connections);
      comparisons.push(comparison);
      say(plainTable([comparison]));
    }
  }
  say(plainTable(comparisons));
  const figures = figuresOf(comparisons, stage.initialRssMib);
  for (const figure of figures) report(figure);
  if (options.writes) await writePage(comparisons, figures, { ...options, ...stage });
});

async function compare(stage: Stage, workload: Workload, connections: number): Promise<Comparison> {
  const run = () => runRounds(stage, workload, { ...options, connections });
  const found = await (workload.isWithoutOwnIndexes ? withoutIndexes(stage.databaseUrl, run) : run());
  const summaries = [...found].map(([server, rounds]) => summaryOf(server, rounds));
  return { workload, connections, summaries };
}
