/**
 * `npm run bench -- soak [--requests N]`: memory of the API process under N requests (default 200,000) of 90 % reads
 * and 10 % writes by 50 users over 32 connections. Prints the curve of its RSS, read from /proc, so Linux only.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { startApi } from '../test/support/api.js';
import { client, type Client } from '../test/support/client.js';
import { startPostgres } from '../test/support/postgres.js';

const { values } = parseArgs({ options: { requests: { type: 'string', default: '200000' } } });
const total = Number(values.requests);
const connections = 32;
const samples = 20;

const postgres = await startPostgres();
const api = await startApi({ databaseUrl: postgres.url, env: { LOG_LEVEL: 'warn' } });
try {
  const rssMiB = () =>
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${api.pid}/status`, 'utf8'))?.[1]) / 1024;
  process.stdout.write(`after start: ${rssMiB().toFixed(0)} MiB\n`);
  const caller = client(api.url);
  const users = await Promise.all(Array.from({ length: 50 }, () => makeUser(caller)));
  await drive(caller, users, rssMiB);
  caller.close();
} finally {
  await api.stop();
  await postgres.stop();
}

interface User {
  readonly token: string;
  readonly taskIds: readonly string[];
}

async function makeUser(caller: Client): Promise<User> {
  const { accessToken: token } = await caller.registerAndLogin();
  const operations = Array.from({ length: 50 }, (_, n) => ({
    op: 'create',
    data: { title: `Task ${n}`, tags: ['soak'] },
  }));
  const { body } = await caller.request<{ results: { task: { id: string } }[] }>('POST', '/v1/tasks/bulk', {
    token,
    body: { operations },
  });
  return { token, taskIds: body.results.map(({ task }) => task.id) };
}

/** The tokens last 15 minutes, longer than the bench runs; a 401 would show in the statuses. */
async function drive(caller: Client, users: readonly User[], rssMiB: () => number): Promise<void> {
  const statuses: Record<string, number> = {};
  const started = performance.now();
  let sent = 0;
  let sampled = 0;
  const work = async () => {
    while (sent < total) {
      const n = sent++;
      const status = await call(caller, users[n % users.length], n);
      statuses[status] = (statuses[status] ?? 0) + 1;
      if (n >= ((sampled + 1) * total) / samples) {
        sampled++;
        process.stdout.write(`${String(n).padStart(7)} requests: ${rssMiB().toFixed(0)} MiB\n`);
      }
    }
  };
  await Promise.all(Array.from({ length: connections }, work));
  const seconds = (performance.now() - started) / 1000;
  process.stdout.write(
    `${total} requests in ${seconds.toFixed(0)} s; statuses ${JSON.stringify(statuses)}\n`,
  );
  process.stdout.write(`at the end: ${rssMiB().toFixed(0)} MiB\n`);
}

async function call(caller: Client, user: User | undefined, n: number): Promise<number> {
  const token = user?.token ?? '';
  const id = user?.taskIds[n % 50] ?? '';
  const request = (method: string, path: string, body?: unknown) =>
    caller.request(method, path, { token, ...(body !== undefined && { body }) }).then(({ status }) => status);
  switch (n % 10) {
    case 0:
      return request('PATCH', `/v1/tasks/${id}`, { title: `Task ${n}` });
    case 1:
      return request('GET', '/v1/tasks/stats');
    case 2:
    case 3:
      return request('GET', '/v1/tasks?status=todo&sort=-priority,due_at');
    case 4:
      return request('GET', '/v1/users/me');
    case 5:
    case 6:
      return request('GET', `/v1/tasks/${id}`);
    default:
      return request('GET', '/v1/tasks');
  }
}
