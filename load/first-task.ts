/**
 * `npm run bench -- first-task`: clones the project to a temporary folder and measures, as a new user would, the time
 * from `npm start` (warm npm cache) to the first 201 for a task, and from a second `npm start` to readiness.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../libs/embedded/postgres-cluster.js';
import { client } from '../test/support/client.js';
import { waitFor } from '../test/support/wait.js';

const root = join(import.meta.dirname, '..');
const folder = join(mkdtempSync(join(tmpdir(), 'task-api-clone-')), 'task-api');
const seconds = (since: number) => ((performance.now() - since) / 1000).toFixed(1);
/** Only these variables are passed on, so that neither npm nor a developer's own settings influence the result. */
const { PATH, HOME } = process.env;

try {
  const cloned = performance.now();
  execFileSync('git', ['clone', '--quiet', root, folder]);
  await started(async (url) => {
    const api = client(url);
    const { accessToken: token } = await api.registerAndLogin();
    const { status } = await api.request('POST', '/v1/tasks', { token, body: { title: 'First' } });
    process.stdout.write(`fresh clone to the first ${status} on a task: ${seconds(cloned)} s\n`);
    api.close();
  });
  const second = performance.now();
  await started(() => {
    process.stdout.write(`second start to ready: ${seconds(second)} s\n`);
    return Promise.resolve();
  });
} finally {
  rmSync(join(folder, '..'), { recursive: true, force: true });
}

async function started(use: (url: string) => Promise<void>): Promise<void> {
  const [port, opsPort] = await freePorts(2);
  const env = { PATH: systemPath(), HOME, PORT: String(port), OPS_PORT: String(opsPort) };
  const npm = spawn('npm', ['start'], { cwd: folder, env, stdio: ['ignore', 'inherit', 'inherit'] });
  const isReady = async () => (await fetch(`http://127.0.0.1:${opsPort}/readyz`)).ok;
  await waitFor(isReady, { timeoutMs: 300_000, intervalMs: 20, what: 'npm start' });
  await use(`http://127.0.0.1:${port}`);
  npm.kill('SIGTERM');
  const [code] = (await once(npm, 'exit')) as [number | null];
  process.stdout.write(`stopped with ${code}\n`);
}

/** PATH without this project's own programs: npm puts them first, a new user's shell does not. */
function systemPath(): string {
  return (PATH ?? '')
    .split(':')
    .filter((entry) => !entry.includes('node_modules'))
    .join(':');
}
