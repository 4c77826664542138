/**
 * `npm run bench -- overhead [metrics|logs|traces-10|traces-0|unconfigured]`: the cost of observability, in CPU of the API
 * process for the mix of 90 reads and 10 writes. Two processes use the same servers, one observed and one not; they are
 * compared in pairs.
 *
 * - metrics: against the same build without metrics (`without-metrics.ts`). The cost of a scrape every 15 s of load is
 *   added;
 * - logs: `LOG_LEVEL` info against warn; this process reads the lines from a pipe;
 * - traces-10, traces-0: 10 % or 0 % of the traces, sent to a receiver in this process, against no `OTEL_` variable;
 * - unconfigured: the OpenTelemetry packages that a process without such a variable loads.
 */
import { loadedTelemetry, tellTelemetryLoads } from '../test/support/loaded-telemetry.js';
import { startOtlpReceiver } from '../test/support/otlp-receiver.js';
import { cpuPairs, ratioOf, requestsOf, reportMedian } from './support/cpu-pairs.js';
import { withDeployment } from './support/deployment.js';
import { report } from './support/figures.js';
import { overheadCases, type OverheadCase } from './support/overhead-cases.js';
import { Side } from './support/side.js';
import { seedUsers } from './support/users.js';

const userCount = 50;
const tasksOfEach = 50;
const pairs = 20;
const warmUpPairs = 6;

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
    const sides = { subject: new Side(watched, users), baseline: new Side(unwatched, users) };
    const additionalCpu = (loadSeconds: number) => overhead.additionalCpu?.(watched, loadSeconds) ?? 0;
    const found = await cpuPairs({ sides, pairs, warmUpPairs, additionalCpu });
    await overhead.check(watched, unwatched, requestsOf({ pairs, warmUpPairs }));
    for (const side of Object.values(sides)) side.close();
    const value = reportMedian(what, found.map(ratioOf));
    report({ bench: 'overhead', what: `CPU, ${what}/none`, value, atMost });
  });
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
