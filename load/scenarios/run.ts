/**
 * `npm run load -- SCENARIO [options]`: starts the API with seeded users (or uses the one of `--url`), logs the users in, runs the
 * script of load/k6, and writes the summary. Exit code: that of k6, 99 if a threshold was missed.
 */
import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { cpuSeconds } from '../support/cpu.js';
import { say } from '../support/figures.js';
import { keepCoreBusy, sayLoginStormRatio } from './busy-core.js';
import { findK6, runK6 } from './k6.js';
import { parseOptions, UsageError, type Options } from './options.js';
import { openService, type Service } from './service.js';

type Variables = Readonly<Record<string, string>>;

const execute = promisify(execFile);
const scripts = join(import.meta.dirname, '..', 'k6');
const root = join(import.meta.dirname, '..', '..');

try {
  const options = parseOptions(process.argv.slice(2));
  await findK6();
  const service = await openService(options);
  try {
    process.exitCode = await runScenario(options, service);
  } finally {
    await service.stop();
  }
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 64;
}

async function runScenario(options: Options, { url, pids }: Service): Promise<number> {
  const { name } = options.scenario;
  const out = resolve(process.env['INIT_CWD'] ?? '.', options.out ?? join(root, '.cache', 'load', name));
  await mkdir(out, { recursive: true });
  const variables = {
    ...options.variables,
    BASE_URL: url,
    USERS: String(options.users),
    USERS_FILE: join(out, 'users.json'),
    SUMMARY_DIR: out,
  };
  await logIn(variables);
  const before = cpuSeconds(pids);
  const started = performance.now();
  const run = { script: join(scripts, `${name}.js`), variables };
  // On another machine a core that is busy here says nothing.
  const code = name === 'login-storm' && options.url === null ? await runStorm(run, out) : await runK6(run);
  const seconds = (performance.now() - started) / 1000;
  if (pids.length > 0) say(`CPU of the API: ${((cpuSeconds(pids) - before) / seconds).toFixed(2)} cores`);
  say(`Summary: ${join(out, `${name}.html`)}`);
  return code;
}

/** Each login is a password hash, so 10,000 of them take minutes. */
async function logIn(variables: Variables): Promise<void> {
  const { stdout } = await execute(process.execPath, [join(scripts, 'log-in.mjs')], {
    env: { ...process.env, ...variables },
  }).catch((error: unknown) => {
    throw new UsageError((error as { stderr: string }).stderr.trim(), { cause: error });
  });
  say(stdout.trim());
}

/** Until the logins begin, one core is busy: with PASSWORD_CONCURRENCY=1 the hashes then take no more than that. */
async function runStorm(
  run: { readonly script: string; readonly variables: Variables },
  out: string,
): Promise<number> {
  const release = keepCoreBusy();
  const onMessage = (line: string): void => {
    if (line.includes('the logins begin')) release();
  };
  const code = await runK6({ ...run, onMessage }).finally(release);
  await sayLoginStormRatio(join(out, 'login-storm.json'));
  return code;
}
