import type { Operation } from './checker/history.js';
import { isRead } from './clients/answers.js';
import type { Run } from './runner.js';

/** A readable summary. */
export function summary({ history, faults, metrics }: Run): string {
  const operations = history.operations();
  return [
    'Operations by kind and status',
    ...table(operations),
    'Answers of 503 by the faults under way',
    ...unavailable(operations),
    `Calls without an answer at processes that nothing befell: ${unanswered(operations)}`,
    'Faults',
    ...[...faults].map(([name, count]) => `  ${name.padEnd(40)} ${count}`),
    ...readLines(metrics),
    ...cacheLines(metrics),
  ].join('\n');
}

function table(operations: readonly Operation[]): readonly string[] {
  return [...Map.groupBy(operations, ({ kind }) => kind)].map(([kind, all]) => {
    const counts = [...Map.groupBy(all, ({ status }) => status ?? 'none')]
      .map(([status, some]) => `${status}: ${some.length}`)
      .sort();
    return `  ${kind.padEnd(16)} ${String(all.length).padStart(6)}   ${counts.join('  ')}`;
  });
}

function unavailable(operations: readonly Operation[]): readonly string[] {
  const all = operations.filter(({ status }) => status === 503);
  return [...Map.groupBy(all, ({ faults }) => faults.join(' and ') || 'none')].map(([faults, some]) => {
    const reads = some.filter(({ kind }) => isRead(kind)).length;
    return `  ${faults.padEnd(60)} reads: ${reads}  others: ${some.length - reads}`;
  });
}

/** All operations except the driver's own reads on the primary. */
function unanswered(operations: readonly Operation[]): number {
  return operations.filter(
    ({ status, isFinal, process, faults }) =>
      status === undefined && isFinal !== true && !faults.some((fault) => fault.includes(process)),
  ).length;
}

/** By the kind of server that answered; counts of processes that have ended are missing. */
function readLines(metrics: readonly string[]): readonly string[] {
  const sums = sumsOf(metrics, /^db_reads_total\{db_target="(\w+)"\} ([\d.e+]+)$/);
  const total = [...sums.values()].reduce((sum, value) => sum + value, 0);
  if (total === 0) return [];
  const shares = [...sums].map(
    ([target, value]) => `  ${target.padEnd(16)} ${value} (${Math.round((100 * value) / total)} %)`,
  );
  return ['Reads of the database by server', ...shares];
}

/** The cache metrics of the processes. */
function cacheLines(metrics: readonly string[]): readonly string[] {
  const sums = sumsOf(metrics, /^(\w*cache\w*_total(?:\{[^}]*\})?) ([\d.e+]+)$/);
  if (sums.size === 0) return [];
  return ['Cache', ...[...sums].map(([name, value]) => `  ${name.padEnd(70)} ${value}`)];
}

/** Sums a metric of all processes by the name that the pattern extracts. */
function sumsOf(metrics: readonly string[], pattern: RegExp): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const line of metrics.flatMap((text) => text.split('\n'))) {
    const [, name, value] = pattern.exec(line) ?? [];
    if (name !== undefined) sums.set(name, (sums.get(name) ?? 0) + Number(value));
  }
  return sums;
}

/** Of the counts whose series begin so, the share of those for which the group of the pattern matches. */
export function shareOf(metrics: readonly string[], pattern: RegExp): number {
  const sums = { matched: 0, all: 0 };
  for (const line of metrics.flatMap((text) => text.split('\n'))) {
    const found = pattern.exec(line);
    const count = Number(line.slice(line.lastIndexOf(' ')));
    if (found !== null) sums.all += count;
    if (found?.[1] !== undefined) sums.matched += count;
  }
  return sums.matched / sums.all;
}
