// npm run test:api [-- schemathesis arguments]: starts the API on a throw-away database, runs schemathesis (PyPI) on every
// operation of its OpenAPI document with all checks, and puts a real HTTP cache (CacheControl) between two users and the API.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureBuilt, ensureInstalled, run } from './bootstrap.mjs';

const packages = ['schemathesis==4.32.5', 'CacheControl==0.14.4'];
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, '.cache', packages.join('-').replaceAll('==', '-'));

function sh(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 2, 2] });
  if (status === 0) return;
  console.error(`${command} ${args.join(' ')} failed${error ? `: ${error.message}` : ''}.`);
  console.error(
    'schemathesis needs python3 (3.10 or later) with venv; on Debian: apt-get install python3-venv',
  );
  process.exit(1);
}

ensureInstalled();
ensureBuilt();
if (!existsSync(join(folder, 'bin', 'schemathesis'))) {
  mkdirSync(join(root, '.cache'), { recursive: true });
  sh('python3', ['-m', 'venv', '--clear', folder]);
  sh(join(folder, 'bin', 'pip'), ['install', '--quiet', '--disable-pip-version-check', ...packages]);
}
run(['--import', './scripts/typescript-hook.mjs', 'test/schemathesis/run.ts', ...process.argv.slice(2)], {
  env: { PYTHON_PROGRAMS: join(folder, 'bin') },
});
