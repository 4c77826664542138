import { runSql } from '../../test/support/test-database.js';
import { waitFor } from '../../test/support/wait.js';
import { cpuSeconds } from '../support/cpu.js';
import { say } from '../support/figures.js';
import { runPgbench } from './pgbench.js';
import type { Stage } from './stage.js';
import { allCpuSeconds, generatorCpuSeconds, postgresCpuSeconds, rssMib } from './usage.js';
import type { ServerName, Workload } from './workloads.js';
import { runWrk, type LoadResult } from './wrk.js';

type Part = (typeof parts)[number];
const parts = ['server', 'redis', 'postgres', 'generator'] as const;

/** One round of one server. CPU is in seconds for 1,000 requests. */
export interface Round extends LoadResult {
  readonly cpu: Readonly<Record<Part, number>>;
  /** Cores that other processes of the machine used meanwhile. */
  readonly otherCores: number;
  /** At the end of the load. */
  readonly rssMib: number;
}

export interface RoundOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly connections: number;
}

interface Load {
  readonly connections: number;
  readonly seconds: number;
}

/** What idle servers and this process may use, before a round is remarkable. */
const maxOtherCores = 0.2;

/** More than the requests of any run. */
const numbersOfARun = 10_000_000;
let runs = 0;

/** Warms each server up, then measures them in turns, the order reversed in every second round. */
export async function runRounds(
  stage: Stage,
  workload: Workload,
  { rounds, seconds, warmUpSeconds, connections }: RoundOptions,
): Promise<ReadonlyMap<ServerName, readonly Round[]>> {
  const names = workload.servers.filter((name) => stage.names.has(name));
  const found = new Map(names.map((name) => [name, [] as Round[]]));
  for (const name of names) await measure(stage, workload, name, { connections, seconds: warmUpSeconds });
  for (let round = 0; round < rounds; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const result = await measure(stage, workload, name, { connections, seconds });
      found.get(name)?.push(result);
      say(lineOf(workload.name, round + 1, name, result));
    }
  }
  return found;
}

function lineOf(workload: string, round: number, name: string, result: Round): string {
  const { perSecond, p99, refused, timedOut, broken, otherCores } = result;
  const remarks = [
    ...(refused > 0 ? [`${refused} refused`] : []),
    ...(timedOut > 0 ? [`${timedOut} timed out`] : []),
    ...(broken > 0 ? [`${broken} broken`] : []),
    ...(otherCores > maxOtherCores ? [`other processes used ${otherCores.toFixed(2)} cores`] : []),
  ];
  const figures = `${perSecond.toFixed(0).padStart(6)}/s  p99 ${p99.toFixed(1)} ms`;
  return `  ${workload} ${round} ${name.padEnd(7)} ${[figures, ...remarks].join(', ')}`;
}

async function measure(stage: Stage, workload: Workload, name: ServerName, load: Load): Promise<Round> {
  const before = usage(stage, name);
  const result = await runLoad(stage, workload, name, load);
  const memory = usage(stage, name).rssMib;
  // What a write leaves to be done afterwards belongs to its cost, and not to the next server's round.
  if (workload.isWrite && name === 'api') await untilEventsAreConsumed(stage.databaseUrl);
  const after = usage(stage, name);
  const used = (part: Part): number => after[part] - before[part];
  const perThousand = (part: Part): number => (used(part) / result.requests) * 1000;
  const ours = parts.map(used).reduce((sum, seconds) => sum + (Number.isNaN(seconds) ? 0 : seconds), 0);
  const otherCores = (after.all - before.all - ours) / (after.at - before.at);
  const cpu = {
    server: perThousand('server'),
    redis: perThousand('redis'),
    postgres: perThousand('postgres'),
    generator: perThousand('generator'),
  };
  return { ...result, cpu, otherCores, rssMib: memory };
}

function runLoad(stage: Stage, { script }: Workload, name: ServerName, load: Load): Promise<LoadResult> {
  const { data, databaseUrl } = stage;
  if (name === 'pgbench') return runPgbench({ databaseUrl, script, seconds: load.seconds, folder: data });
  const url = stage.servers.get(name)?.url;
  if (url === undefined) throw new Error(`${name} was not started.`);
  return runWrk({ url, script, ...load, data, start: ++runs * numbersOfARun });
}

/** pgbench has no server. */
function usage({ redisPid, postgresPid, servers }: Stage, name: ServerName) {
  const pid = servers.get(name)?.pid;
  return {
    server: pid === undefined ? NaN : cpuSeconds([pid]),
    rssMib: pid === undefined ? NaN : rssMib(pid),
    redis: cpuSeconds([redisPid]),
    postgres: postgresCpuSeconds(postgresPid),
    generator: generatorCpuSeconds(),
    all: allCpuSeconds(),
    at: performance.now() / 1000,
  };
}

async function untilEventsAreConsumed(databaseUrl: string): Promise<void> {
  const areConsumed = async (): Promise<boolean> => {
    const [row] = await runSql(
      databaseUrl,
      `SELECT EXISTS (SELECT FROM tasks.outbox)
         OR EXISTS (SELECT FROM task_counts.inbox WHERE done_at IS NULL) AS "isPending"`,
    );
    return row?.['isPending'] === false;
  };
  await waitFor(areConsumed, { timeoutMs: 60_000, intervalMs: 200, what: 'the consumers of events' });
}
