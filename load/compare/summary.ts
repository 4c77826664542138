import { percentile } from '../support/percentile.js';
import type { Round } from './rounds.js';
import type { ServerName, Workload } from './workloads.js';

/** Medians of the rounds of one server; failures are added up, and of other processes the most is told. */
export interface Summary extends Round {
  readonly server: ServerName;
}

/** What one workload gave. */
export interface Comparison {
  readonly workload: Workload;
  readonly connections: number;
  readonly summaries: readonly Summary[];
}

export function summaryOf(server: ServerName, rounds: readonly Round[]): Summary {
  const median = (of: (round: Round) => number): number => percentile(rounds.map(of), 0.5);
  const sum = (of: (round: Round) => number): number => rounds.reduce((total, round) => total + of(round), 0);
  return {
    server,
    requests: sum(({ requests }) => requests),
    perSecond: median(({ perSecond }) => perSecond),
    p50: median(({ p50 }) => p50),
    p95: median(({ p95 }) => p95),
    p99: median(({ p99 }) => p99),
    refused: sum(({ refused }) => refused),
    timedOut: sum(({ timedOut }) => timedOut),
    broken: sum(({ broken }) => broken),
    cpu: {
      server: median(({ cpu }) => cpu.server),
      redis: median(({ cpu }) => cpu.redis),
      postgres: median(({ cpu }) => cpu.postgres),
      generator: median(({ cpu }) => cpu.generator),
    },
    otherCores: Math.max(...rounds.map((round) => round.otherCores)),
    rssMib: median((round) => round.rssMib),
  };
}

export const failuresOf = ({ refused, timedOut, broken }: Summary): number => refused + timedOut + broken;
