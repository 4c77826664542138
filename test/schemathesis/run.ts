/** Started by `npm run test:api`: runs schemathesis, and users behind an HTTP cache, against the API on a throw-away database. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { startApi } from '../support/api.js';
import { startPostgres } from '../support/postgres.js';

const postgres = await startPostgres();
const api = await startApi({ databaseUrl: postgres.url, env: { LOG_LEVEL: 'error' } });
try {
  const args = [
    ...['--config-file', join(import.meta.dirname, 'schemathesis.toml'), 'run', `${api.url}/openapi.json`],
    // One worker: with two, Python 3.11's `ast` sometimes fails ("recursion depth mismatch").
    ...['--checks', 'all', '--workers', '1', '--request-timeout', '20'],
    // The same calls in each run, so that a failure in CI comes from a change.
    ...['--seed', '20261124', '--max-examples', '40', ...process.argv.slice(2)],
  ];
  const env = { ...process.env, API_URL: api.url, SCHEMATHESIS_HOOKS: join(import.meta.dirname, 'hooks.py') };
  const program = (name: string): string => join(process.env['PYTHON_PROGRAMS'] ?? '', name);
  const run = async (name: string, ...given: readonly string[]): Promise<number> => {
    const child = spawn(program(name), given, { stdio: 'inherit', env });
    const [code] = (await once(child, 'exit')) as [number | null];
    return code ?? 1;
  };
  const cache = await run('python', join(import.meta.dirname, 'http_cache.py'));
  const schemathesis = await run('schemathesis', ...args);
  process.stdout.write(api.logs());
  process.exitCode = cache || schemathesis;
} finally {
  await api.stop();
  await postgres.stop();
}
