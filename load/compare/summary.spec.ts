import type { Round } from './rounds.js';
import { summaryOf, type Comparison } from './summary.js';
import { markdownTable, rowsOf } from './table.js';
import { figuresOf } from './targets.js';
import { workloads, type ServerName } from './workloads.js';

const round = (perSecond: number, p99: number, timedOut = 0): Round => ({
  ...{ requests: 100, perSecond, p50: 1, p95: 2, p99, refused: 0, timedOut, broken: 0 },
  cpu: { server: 0.2, redis: 0.01, postgres: 0.1, generator: 0.01 },
  ...{ otherCores: perSecond / 1000, rssMib: 100 },
});

function comparison(name: string, rounds: Partial<Record<ServerName, readonly Round[]>>): Comparison {
  const workload = workloads.find((each) => each.name === name);
  if (workload === undefined) throw new Error(`There is no ${name}.`);
  const summaries = Object.entries(rounds).map(([server, each]) => summaryOf(server as ServerName, each));
  return { workload, connections: 64, summaries };
}

const list = comparison('list', {
  api: [round(300, 9, 1), round(100, 30), round(200, 12)],
  bare: [round(400, 6)],
  prisma: [round(100, 40)],
});

describe('several rounds', () => {
  it('are told by their medians, the sum of their failures, and the most that others used', () => {
    expect(list.summaries[0]).toMatchObject({ server: 'api', perSecond: 200, p99: 12, timedOut: 1 });
    expect(list.summaries[0]).toMatchObject({ requests: 300, otherCores: 0.3 });
  });

  it('become a row of ratios to the bare server and to Prisma', () => {
    const [api] = rowsOf(list);
    expect(api?.slice(0, 10)).toEqual([
      ...['list', '64', 'api', '200', '0.50', '2.00', '1.0', '2.0', '12.0', '2.00'],
    ]);
  });

  it('show a dash for what is unknown', () => {
    const alone = comparison('list', { pgbench: [{ ...round(10, NaN), rssMib: NaN }] });
    expect(markdownTable([alone])).toContain('| list | 64 | pgbench | 10 | – | – | 1.0 | 2.0 | – | – |');
  });
});

describe('the targets', () => {
  const valueOf = (what: string, given: readonly Comparison[]) =>
    figuresOf(given, 120).find((figure) => figure.what === what);

  it('compare the API with the other servers of the run', () => {
    expect(valueOf('list, requests/s, api/bare', [list])).toMatchObject({ value: 0.5, atLeast: 0.6 });
    expect(valueOf('list, p99, api/bare', [list])).toMatchObject({ value: 2, atMost: 2 });
    expect(valueOf('list, requests/s, api/prisma', [list])).toMatchObject({ value: 2, atLeast: 1.6 });
  });

  it('demand a bare server that is much faster than Prisma, and no failures', () => {
    expect(valueOf('list, requests/s, bare/prisma', [list])).toMatchObject({ value: 4, atLeast: 2.5 });
    expect(valueOf('list, failed requests of api', [list])).toMatchObject({ value: 1, atMost: 0 });
  });

  it('are not those of workloads, servers or connections that were not measured', () => {
    const more = { ...list, connections: 1000 };
    const names = figuresOf([more], 120).map(({ what }) => what);
    expect(names).toEqual(['RSS after the start, MiB', 'RSS at 1,000 connections, MiB']);
  });
});
