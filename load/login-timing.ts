// npm run bench -- login-timing: how long a login takes for an unknown e-mail and for a wrong password, on an idle machine.
// Exit code 1: the medians differ by more than 5 %, so the time reveals who has an account.
import { startApi } from '../test/support/api.js';
import { client, type Client } from '../test/support/client.js';
import { startPostgres } from '../test/support/postgres.js';
import { percentile } from './support/percentile.js';

const rounds = 200;
const warmUpRounds = 20;
const tolerance = 0.05;

const postgres = await startPostgres();
const api = await startApi({ databaseUrl: postgres.url, env: { LOG_LEVEL: 'warn' } });
const caller = client(api.url);
try {
  const { email } = await caller.registerAndLogin();
  await measure(caller, email, warmUpRounds);
  const { unknown, wrong } = await measure(caller, email, rounds);
  const [unknownMs, wrongMs] = [percentile(unknown, 0.5), percentile(wrong, 0.5)];
  const ratio = unknownMs / wrongMs;
  process.stdout.write(
    `${rounds} interleaved logins each\n` +
      `unknown e-mail   median ${unknownMs.toFixed(2)} ms\n` +
      `wrong password   median ${wrongMs.toFixed(2)} ms\n` +
      `ratio            ${ratio.toFixed(3)}\n`,
  );
  if (Math.abs(ratio - 1) > tolerance) process.exitCode = 1;
} finally {
  caller.close();
  await api.stop();
  await postgres.stop();
}

/** The two kinds alternate, and so does their order, so that other work of the machine affects both alike. */
async function measure(caller: Client, email: string, rounds: number) {
  const times = { unknown: [] as number[], wrong: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    const kinds = round % 2 === 0 ? (['unknown', 'wrong'] as const) : (['wrong', 'unknown'] as const);
    for (const kind of kinds) {
      const address = kind === 'wrong' ? email : email.replace(/^.{6}/, String(100_000 + round));
      times[kind].push(await timeLogin(caller, address));
    }
  }
  return times;
}

async function timeLogin(caller: Client, email: string): Promise<number> {
  const body = { email, password: 'not the password at all' };
  const started = performance.now();
  const { status } = await caller.request('POST', '/v1/auth/login', { body });
  const elapsed = performance.now() - started;
  if (status !== 401) throw new Error(`Expected 401, got ${status}.`);
  return elapsed;
}
