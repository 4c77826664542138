/**
 * `npm run profile -- WORKLOAD [--heap] [options]`: profiles the API, as production runs it, under a workload of load/compare after
 * a warm-up. Writes a flame graph, and prints where the CPU time (with --heap: the allocated memory) goes.
 */
import { access, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { waitFor } from '../../test/support/wait.js';
import { withStage, type Stage } from '../compare/stage.js';
import { runWrk } from '../compare/wrk.js';
import { say } from '../support/figures.js';
import { flameGraph } from './flame-graph.js';
import { parseOptions, UsageError, type Options } from './options.js';
import { foldCpu, foldHeap, type CpuProfile, type Frame, type HeapProfile } from './profile.js';
import { byGroup, hottest, printed } from './tables.js';

const root = join(import.meta.dirname, '..', '..');
const recorder = pathToFileURL(join(import.meta.dirname, 'recorder.mjs')).href;
const warmUpSeconds = 10;
const functionCount = 15;
/** More than the requests of a run. */
const numbersOfARun = 10_000_000;

const measured = { cpu: 'CPU time', heap: 'allocated memory' };

/** The recorder writes this file when the profile has started. */
const startedOf = (file: string): string => `${file}.started`;

try {
  await profile(parseOptions(process.argv.slice(2)));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 64;
}

async function profile(options: Options): Promise<void> {
  const { kind, workload, users, tasksOfEach } = options;
  const out = resolve(process.env['INIT_CWD'] ?? '.', options.out ?? join(root, '.cache', 'profile'));
  await mkdir(out, { recursive: true });
  const file = join(out, `${workload}.${kind}profile`);
  for (const old of [file, startedOf(file)]) await rm(old, { force: true });
  const apiEnv = { NODE_OPTIONS: `--import=${recorder}`, PROFILE_FILE: file, PROFILE_KIND: kind };
  await withStage({ servers: new Set(['api']), users, tasksOfEach, apiEnv }, (stage) =>
    record(stage, options, file),
  );
  const frame = await read(file, kind);
  await writeFile(join(out, `${workload}.${kind}.svg`), flameGraph(frame, `${workload}: ${measured[kind]}`));
  say(`\n${measured[kind]} by package`);
  process.stdout.write(printed(byGroup(frame)));
  say(`\nThe ${functionCount} hottest functions, without what they call`);
  process.stdout.write(printed(hottest(frame, functionCount)));
  say(`\nFlame graph: ${join(out, `${workload}.${kind}.svg`)}; for a browser's developer tools: ${file}`);
}

async function record(stage: Stage, { workload, connections, seconds }: Options, file: string) {
  const api = stage.servers.get('api');
  if (api === undefined) throw new Error('The API was not started.');
  const load = { url: api.url, script: workload, connections, data: stage.data };
  await runWrk({ ...load, seconds: warmUpSeconds, start: numbersOfARun });
  process.kill(api.pid, 'SIGUSR2');
  await waitFor(() => isThere(startedOf(file)), { what: 'the start of the profile' });
  const result = await runWrk({ ...load, seconds, start: 2 * numbersOfARun });
  process.kill(api.pid, 'SIGUSR2');
  await waitFor(() => isThere(file), { timeoutMs: 60_000, what: 'the profile' });
  await rm(startedOf(file));
  const { perSecond, p99, refused, timedOut, broken } = result;
  say(
    `${workload}: ${perSecond.toFixed(0)} requests per second while profiled, p99 ${p99.toFixed(1)} ms, ` +
      `${refused + timedOut + broken} failed`,
  );
}

function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

async function read(file: string, kind: Options['kind']): Promise<Frame> {
  const content: unknown = JSON.parse(await readFile(file, 'utf8'));
  const address = `${pathToFileURL(root).href}/`;
  return kind === 'cpu' ? foldCpu(content as CpuProfile, address) : foldHeap(content as HeapProfile, address);
}
