import { failuresOf, type Comparison, type Summary } from './summary.js';

export const columns = [
  'workload',
  'connections',
  'server',
  'requests/s',
  'of bare',
  'of Prisma',
  'p50 ms',
  'p95 ms',
  'p99 ms',
  'p99 of bare',
  'CPU s/1,000',
  'of bare',
  'Redis',
  'Postgres',
  'wrk',
  'RSS MiB',
  'failed',
] as const;

/** A row for each server, in the order of `columns`. */
export function rowsOf({ workload, connections, summaries }: Comparison): string[][] {
  const find = (name: Summary['server']) => summaries.find(({ server }) => server === name);
  const [bare, prisma] = [find('bare'), find('prisma')];
  return summaries.map((each) => [
    workload.name,
    String(connections),
    each.server,
    fixed(each.perSecond, 0),
    fixed(each.perSecond / (bare?.perSecond ?? NaN), 2),
    fixed(each.perSecond / (prisma?.perSecond ?? NaN), 2),
    fixed(each.p50, 1),
    fixed(each.p95, 1),
    fixed(each.p99, 1),
    fixed(each.p99 / (bare?.p99 ?? NaN), 2),
    fixed(each.cpu.server, 3),
    fixed(each.cpu.server / (bare?.cpu.server ?? NaN), 2),
    fixed(each.cpu.redis, 3),
    fixed(each.cpu.postgres, 3),
    fixed(each.cpu.generator, 3),
    fixed(each.rssMib, 0),
    String(failuresOf(each)),
  ]);
}

/** What is not known is a dash. */
const fixed = (value: number, digits: number): string => (Number.isNaN(value) ? '–' : value.toFixed(digits));

/** For a terminal. */
export function plainTable(comparisons: readonly Comparison[]): string {
  const rows = [[...columns], ...comparisons.flatMap(rowsOf)];
  const widths = columns.map((_, n) => Math.max(...rows.map((row) => row[n]?.length ?? 0)));
  const lines = rows.map((row) =>
    row.map((cell, n) => (n < 3 ? cell.padEnd(widths[n] ?? 0) : cell.padStart(widths[n] ?? 0))).join('  '),
  );
  return `${lines.join('\n')}\n`;
}

export function markdownTable(comparisons: readonly Comparison[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
  const rule = line(columns.map((_, n) => (n < 3 ? '---' : '--:')));
  return line(columns) + rule + comparisons.flatMap(rowsOf).map(line).join('');
}
