import type { Operation } from './checker/history.js';
import type { Run } from './runner.js';

/** For people. */
export function summary({ history, faults, metrics }: Run): string {
  const operations = history.operations();
  return [
    'Operations by kind and status',
    ...table(operations),
    'Answers of 503 by the faults under way',
    ...unavailable(operations),
    'Faults',
    ...[...faults].map(([name, count]) => `  ${name.padEnd(40)} ${count}`),
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
  return [...Map.groupBy(all, ({ faults }) => faults.join(' and ') || 'none')].map(
    ([faults, some]) => `  ${faults.padEnd(40)} ${some.length}`,
  );
}

/** Whatever the processes count of their cache, added up. */
function cacheLines(metrics: readonly string[]): readonly string[] {
  const sums = new Map<string, number>();
  for (const line of metrics.flatMap((text) => text.split('\n'))) {
    const [, name, value] = /^(\w*cache\w*_total(?:\{[^}]*\})?) ([\d.e+]+)$/.exec(line) ?? [];
    if (name !== undefined) sums.set(name, (sums.get(name) ?? 0) + Number(value));
  }
  if (sums.size === 0) return [];
  return ['Cache', ...[...sums].map(([name, value]) => `  ${name.padEnd(70)} ${value}`)];
}
