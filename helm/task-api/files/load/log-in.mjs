// node load/k6/log-in.mjs: logs in seeded users by the real route and writes their tokens and tasks to USERS_FILE, for a k6 that
// gets this file. BASE_URL, USERS (20), USERS_FILE (users.json), WAIT_SECONDS (0): how long the API may need until it serves.
import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const { BASE_URL = 'http://127.0.0.1:5000', USERS = '20', USERS_FILE = 'users.json' } = process.env;
const waitUntil = Date.now() + Number(process.env.WAIT_SECONDS ?? 0) * 1000;
const atOnce = 4;
const maxTries = 60;

/** Asks until the answer is none that says "later". */
async function ask(path, init) {
  for (let tries = 1; ; tries++) {
    const response = await fetch(`${BASE_URL}${path}`, { ...init, signal: AbortSignal.timeout(30_000) });
    const text = await response.text();
    if (response.status === 200) return JSON.parse(text);
    if (response.status !== 503 || tries === maxTries) throw new Error(reasonOf(response.status, path, text));
    await sleep(1000 * Number(response.headers.get('retry-after') ?? 1));
  }
}

function reasonOf(status, path, text) {
  if (status === 401)
    return `There are fewer than ${USERS} seeded users: run \`npm run seed -- --users ${USERS} --tasks ${100 * Number(USERS)}\` against the API's database.`;
  if (status === 429)
    return 'A rate limit refuses the logins: raise RATE_LIMIT_CREDENTIALS_POINTS and RATE_LIMIT_FREE_POINTS of the API for a load test.';
  return `${path}: ${status} ${text.slice(0, 300)}`;
}

async function logIn(n) {
  const body = JSON.stringify({ email: `user${n + 1}@example.com`, password: 'correct horse battery' });
  const headers = { 'content-type': 'application/json' };
  const { access_token: token } = await ask('/v1/auth/login', { method: 'POST', headers, body });
  const { data } = await ask('/v1/tasks?limit=25', { headers: { authorization: `Bearer ${token}` } });
  return { token, taskIds: data.map(({ id }) => id) };
}

async function untilServed() {
  for (;;) {
    const isUp = await fetch(`${BASE_URL}/healthz`, { signal: AbortSignal.timeout(5000) }).then(
      ({ status }) => status === 200,
      () => false,
    );
    if (isUp) return;
    if (Date.now() > waitUntil) throw new Error(`${BASE_URL} does not serve.`);
    await sleep(1000);
  }
}

try {
  await untilServed();
  const users = [];
  let next = 0;
  const work = async () => {
    while (next < Number(USERS)) {
      const n = next++;
      users[n] = await logIn(n);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  await writeFile(USERS_FILE, JSON.stringify(users));
  console.log(`${users.length} users are logged in.`);
} catch (error) {
  console.error(error.cause?.message ?? error.message);
  process.exitCode = 1;
}
