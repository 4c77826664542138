import type { Figure } from '../support/figures.js';
import { failuresOf, type Comparison, type Summary } from './summary.js';
import type { ServerName } from './workloads.js';

type Workload = string;
type Limit = Pick<Figure, 'atLeast' | 'atMost'>;
type Measure = (summary: Summary) => number;

interface Target extends Limit {
  readonly workload: Workload;
  readonly against: ServerName;
  readonly of: Measure;
  readonly unit: string;
  readonly server?: ServerName;
}

const perSecond: Measure = (summary) => summary.perSecond;
const p99: Measure = (summary) => summary.p99;
const throughput = (workload: Workload, against: ServerName, atLeast: number): Target => ({
  ...{ workload, against, atLeast },
  ...{ of: perSecond, unit: 'requests/s' },
});
const tail = (workload: Workload, against: ServerName, atMost: number): Target => ({
  ...{ workload, against, atMost },
  ...{ of: p99, unit: 'p99' },
});

/** What the API must reach with 64 connections, as ratios of one run. */
const targets: readonly Target[] = [
  // A bare server that is no faster would be a bad one.
  { ...throughput('list', 'prisma', 2.5), server: 'bare' },
  throughput('list-cached', 'bare', 2),
  throughput('list-cached', 'cached', 0.3),
  tail('list-cached', 'bare', 0.8),
  ...['list', 'get'].flatMap((name) => [throughput(name, 'bare', 0.6), tail(name, 'bare', 2)]),
  ...['create', 'update'].flatMap((name) => [throughput(name, 'bare', 0.45), tail(name, 'bare', 2.6)]),
  throughput('stats-cached', 'bare', 2),
  throughput('stats', 'bare', 0.6),
  throughput('mix', 'bare', 1.2),
  tail('mix', 'bare', 1.2),
  throughput('list', 'prisma', 1.6),
  throughput('get', 'prisma', 2.8),
  throughput('create', 'prisma', 1.2),
  throughput('list-cached', 'prisma', 5),
  ...['list', 'get', 'create', 'list-cached'].map((name) => tail(name, 'prisma', 0.8)),
];

const connectionsOfTargets = 64;

/** Of what was measured. */
export function figuresOf(comparisons: readonly Comparison[], initialRssMib: number): Figure[] {
  const warm = comparisons.filter(({ connections }) => connections === connectionsOfTargets);
  return [
    ...targets.flatMap((target) => ratioOf(target, warm)),
    ...failures(warm),
    { bench: 'compare', what: 'RSS after the start, MiB', value: initialRssMib, atMost: 150 },
    ...memory(comparisons),
  ];
}

function ratioOf(target: Target, comparisons: readonly Comparison[]): Figure[] {
  const { workload, against, of, unit, server = 'api', atLeast, atMost } = target;
  const summaries = comparisons.find((each) => each.workload.name === workload)?.summaries ?? [];
  const [subject, other] = [server, against].map((name) => summaries.find((each) => each.server === name));
  if (subject === undefined || other === undefined) return [];
  const limit: Limit = atLeast === undefined ? { atMost: atMost ?? Infinity } : { atLeast };
  const what = `${workload}, ${unit}, ${server}/${against}`;
  return [{ bench: 'compare', what, value: of(subject) / of(other), ...limit }];
}

/** An answer that is an error costs little: figures with errors in them say nothing. */
const failures = (comparisons: readonly Comparison[]): Figure[] =>
  comparisons.flatMap(({ workload, summaries }) =>
    summaries.map((each) => ({
      bench: 'compare',
      what: `${workload.name}, failed requests of ${each.server}`,
      value: failuresOf(each),
      atMost: 0,
    })),
  );

function memory(comparisons: readonly Comparison[]): Figure[] {
  const sizes = comparisons
    .filter(({ connections }) => connections === 1000)
    .flatMap(({ summaries }) => summaries.filter(({ server }) => server === 'api'))
    .map((summary) => summary.rssMib);
  if (sizes.length === 0) return [];
  const value = Math.max(...sizes);
  return [{ bench: 'compare', what: 'RSS at 1,000 connections, MiB', value, atMost: 256 }];
}
