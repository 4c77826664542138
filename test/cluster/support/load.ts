import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitUnlessEnded } from '../../support/wait.js';

const script = join(import.meta.dirname, '..', '..', '..', 'load', 'k6', 'average.js');

export interface LoadOptions {
  readonly url: string;
  /** Calls per second. */
  readonly rate: number;
  readonly users?: number;
}

export interface LoadResult {
  readonly calls: number;
  /** Unexpected responses, calls without a response, and calls that could not be started in time. */
  readonly failed: number;
  readonly p99Ms: number;
  /** k6's messages, such as the failed calls. */
  readonly complaints: string;
}

interface Load {
  /** Ends the load, at the latest 15 minutes after its start. */
  stop(): Promise<LoadResult>;
}

interface Summary {
  readonly metrics: Readonly<Record<string, { readonly values: Readonly<Record<string, number>> }>>;
}

/** Runs the work under k6's scenario `average`, 90 % reads and 10 % writes; the load ends with the work, also if it fails. */
export async function underLoad(options: LoadOptions, work: () => Promise<unknown>): Promise<LoadResult> {
  const load = await startLoad(options);
  let result: LoadResult;
  try {
    await work();
  } finally {
    result = await load.stop();
  }
  return result;
}

/** Waits until its users send requests. */
async function startLoad({ url, rate, users = 20 }: LoadOptions): Promise<Load> {
  const folder = await mkdtemp(join(tmpdir(), 'k6-'));
  const summaryFile = join(folder, 'average.json');
  const child = spawn('k6', ['run', '--quiet', '--no-usage-report', '--address', '', script], {
    env: {
      ...process.env,
      BASE_URL: url,
      RATE: String(rate),
      DURATION: '15m',
      USERS: String(users),
      // The databases of the clusters have no seeded users.
      REGISTER: 'true',
      KEEP_BODIES: 'true',
      SUMMARY_DIR: folder,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise((resolve) => {
    child.once('error', resolve);
    child.once('exit', resolve);
  });
  await waitUnlessEnded(ended, () => output.includes('all users are there'), {
    // The same time that k6 gives them: each user needs two password hashes.
    timeoutMs: 180_000,
    what: 'the users of the load',
  }).catch((error: unknown) => {
    child.kill();
    throw new Error(`The load did not start: ${output}`, { cause: error });
  });
  return {
    stop: async () => {
      child.kill('SIGINT');
      await ended;
      const { metrics } = JSON.parse(await readFile(summaryFile, 'utf8')) as Summary;
      await rm(folder, { recursive: true, force: true });
      const of = (metric: string, value: string): number => metrics[metric]?.values[value] ?? 0;
      return {
        calls: of('calls', 'count'),
        failed: of('failed_calls', 'count') + of('dropped_iterations', 'count'),
        p99Ms: of('http_req_duration{scenario:average}', 'p(99)'),
        complaints: output
          .split('\n')
          .filter((line) => line.includes('failed:'))
          .slice(0, 20)
          .join('\n'),
      };
    },
  };
}
