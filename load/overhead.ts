/**
 * `npm run bench -- overhead [metrics|logs|traces-10|traces-0|unconfigured]`: what it costs to be watched, in CPU of the API
 * process for the mix of 90 reads and 10 writes. Two processes stand over the same servers, one watched and one not; in turns
 * each gets the same steps. A pair is several short runs of each, AB, BA, AB and so on, so that what the
 * machine does besides meets both alike.
 *
 * - metrics: against the same build that `without-metrics.ts` has taken them from; what a scrape takes is added, for one every
 *   15 s of load;
 * - logs: `LOG_LEVEL` info against warn; this process reads the lines, by a pipe;
 * - traces-10, traces-0: sent to a receiver in this process, a tenth of them or none, against no `OTEL_` variable;
 * - unconfigured: packages of OpenTelemetry that a process without such a variable loads.
 */
import { loadedTelemetry, tellTelemetryLoads } from '../test/support/loaded-telemetry.js';
import { startOtlpReceiver } from '../test/support/otlp-receiver.js';
import { withDeployment } from './support/deployment.js';
import { report, say } from './support/figures.js';
import { medianOf } from './support/median.js';
import { overheadCases, type OverheadCase } from './support/overhead-cases.js';
import { Side } from './support/side.js';
import { seedUsers } from './support/users.js';

const userCount = 50;
const tasksOfEach = 50;
const pairs = 20;
/** Until both are compiled as far as they will be. */
const warmUpPairs = 6;
const runsOfAPair = 8;
const stepsOfARun = 500;

const receiver = await startOtlpReceiver();
const cases = overheadCases(receiver);
const chosen = process.argv.slice(2);
try {
  for (const name of chosen.length > 0 ? chosen : [...Object.keys(cases), 'unconfigured']) {
    const each = cases[name];
    if (each !== undefined) await compare(each);
    else if (name === 'unconfigured') await countLoads();
    else throw new Error(`There is ${Object.keys(cases).join(', ')}, and unconfigured; no ${name}.`);
  }
} finally {
  await receiver.stop();
}

async function compare(overhead: OverheadCase): Promise<void> {
  const { what, atMost } = overhead;
  await withDeployment({ apis: [overhead.watched, overhead.unwatched] }, async (deployment) => {
    const [watched, unwatched] = deployment.apis;
    if (watched === undefined || unwatched === undefined) throw new Error('Two processes are needed.');
    const users = await seedUsers(deployment, { users: userCount, tasksOfEach });
    const sides = {
      watched: new Side(watched, users),
      unwatched: new Side(unwatched, users),
    };
    const ratios: number[] = [];
    for (let pair = -warmUpPairs; pair < pairs; pair++) {
      const { seconds, loadSeconds } = await runPair(sides);
      seconds.watched += (await overhead.besides?.(watched, loadSeconds)) ?? 0;
      const ratio = seconds.watched / seconds.unwatched;
      if (pair >= 0) ratios.push(ratio);
      say(
        `  ${pair < 0 ? 'warm-up' : pair + 1}: ${perThousand(seconds.watched)} and ${perThousand(seconds.unwatched)} s of CPU for 1,000 requests, ${ratio.toFixed(3)}`,
      );
    }
    await overhead.check(watched, unwatched, (pairs + warmUpPairs) * runsOfAPair * stepsOfARun);
    for (const side of Object.values(sides)) side.close();
    const { value, from, to } = medianOf(ratios);
    say(
      `${what}: median of ${pairs} pairs ${value.toFixed(3)}, 95 %: ${from.toFixed(3)} to ${to.toFixed(3)}`,
    );
    report({ bench: 'overhead', what: `CPU, ${what}/none`, value, atMost });
  });
}

interface Sides<T> {
  readonly watched: T;
  readonly unwatched: T;
}

/** @returns CPU time of each, and how long the watched one had load, in seconds */
async function runPair(sides: Sides<Side>) {
  const seconds = { watched: 0, unwatched: 0 };
  let loadSeconds = 0;
  for (let run = 0; run < runsOfAPair; run++) {
    const names = ['watched', 'unwatched'] as const;
    for (const name of run % 2 === 0 ? names : names.toReversed()) {
      const startedAt = performance.now();
      seconds[name] += await sides[name].run(stepsOfARun);
      if (name === 'watched') loadSeconds += (performance.now() - startedAt) / 1000;
    }
  }
  return { seconds, loadSeconds };
}

function perThousand(seconds: number): string {
  return ((seconds / (runsOfAPair * stepsOfARun)) * 1000).toFixed(3);
}

async function countLoads(): Promise<void> {
  await withDeployment({ apis: [tellTelemetryLoads] }, ({ apis }) => {
    const loaded = loadedTelemetry(apis[0]?.logs() ?? '');
    report({
      bench: 'overhead',
      what: 'OpenTelemetry unconfigured, packages loaded',
      value: loaded.length,
      atMost: 0,
    });
    return Promise.resolve();
  });
}
