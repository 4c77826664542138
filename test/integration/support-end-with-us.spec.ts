import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { isListening } from '../support/ports.js';
import { waitFor } from '../support/wait.js';

/** A process that starts Redis, prints its port, and would run for ever. */
const script = `
  import { startRedis } from './test/support/redis.js';
  console.log((await startRedis()).port);
  setInterval(() => undefined, 1000);
`;

it('leaves no server behind if a test process is killed', async () => {
  const args = ['--import', './scripts/typescript-hook.mjs', '--input-type=module', '-e', script];
  const tests = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(tests.stdout, 'data')) as [Buffer];
  const port = Number(String(line));
  expect(await isListening(port)).toBe(true);
  tests.kill('SIGKILL');
  await waitFor(async () => !(await isListening(port)), { what: 'the end of its Redis' });
});
