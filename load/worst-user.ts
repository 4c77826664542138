/**
 * `npm run bench -- worst-user [--runs 5] [--seconds 60] [--endpoint 'GET /v1/tasks']`: other users call 20 times a second, first
 * alone, then while one free user sends the dearest inputs of every endpoint, twelve at once, as fast as the shipped limits let
 * him. Their p99 and their failures are judged, by the median of the runs.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { client, type Session } from '../test/support/client.js';
import { dearestInputs, dearTasks } from '../test/support/dearest-inputs.js';
import { listOperations } from '../test/support/openapi.js';
import { runSql } from '../test/support/test-database.js';
import type { AttackCall } from './support/attacker.js';
import { roomySettings, withDeployment, type Deployment } from './support/deployment.js';
import { report, say } from './support/figures.js';
import { latencies, onSchedule, statuses, steadily, type Sample } from './support/load.js';
import { isFailed, MixedLoad, p99 } from './support/outage.js';
import { percentile } from './support/percentile.js';
import { seedUsers } from './support/users.js';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '60' },
    endpoint: { type: 'string' },
  },
});
const perSecond = 20;

/** What ships, for a free user and by IP. The others are premium users, whose limit is out of the way. */
const shipped = {
  ...{ RATE_LIMIT_FREE_POINTS: '100', RATE_LIMIT_PREMIUM_POINTS: '1000000' },
  ...{ RATE_LIMIT_ANONYMOUS_POINTS: '100', RATE_LIMIT_CREDENTIALS_POINTS: '10' },
  ...{ RATE_LIMIT_FAILED_LOGIN_POINTS: '10', RATE_LIMIT_FAILED_LOGIN_EMAIL_POINTS: '100' },
  RATE_LIMIT_REFRESH_POINTS: '30',
  ACCESS_TOKEN_TTL_SECONDS: '3600',
};
/** Where everything is made, before the other process is measured. */
const making = {
  ...shipped,
  RATE_LIMIT_ANONYMOUS_POINTS: '1000000',
  RATE_LIMIT_CREDENTIALS_POINTS: '1000000',
};
const options = { apis: [making, shipped], isProduction: true, postgresSettings: roomySettings };
/** Of the attacker: another IP has its own limits. */
const hisAddress = '127.0.0.2';
const isPublic = new Set(
  listOperations()
    .filter((operation) => operation.isPublic)
    .map(({ method, path }) => `${method} ${path}`),
);

await withDeployment(options, async (deployment) => {
  const { databaseUrl, apis } = deployment;
  const beforeLogin = () => runSql(databaseUrl, `UPDATE users.profiles SET tier = 'premium'`);
  const place = { ...deployment, apis: apis.slice(0, 1) };
  const users = await seedUsers(place, { users: 200, tasksOfEach: 50, beforeLogin });
  const attacker = await prepareAttacker(place);
  await apis[0]?.stop();
  const load = new MixedLoad(apis.slice(1), users, 1);
  let sent = 0;
  const drive = async (): Promise<Sample[]> => {
    const times = steadily(perSecond, Number(values.seconds));
    const first = sent;
    sent += times.length;
    return onSchedule(times, (n) => load.send(first + n));
  };
  say('warming up');
  await drive();
  const [ratios, failed]: [number[], Sample[]] = [[], []];
  for (let run = 1; run <= Number(values.runs); run++) {
    const quiet = await drive();
    const { result: during, his } = await attackWhile(apis[1]?.url ?? '', attacker, drive);
    say(`run ${run}`);
    say(`  quiet   ${latencies(quiet)}  ${JSON.stringify(statuses(quiet))}`);
    say(`  attack  ${latencies(during)}  ${JSON.stringify(statuses(during))}`);
    say(`  his     ${JSON.stringify(his)}`);
    ratios.push(p99(during) / p99(quiet));
    failed.push(...during.filter(isFailed));
  }
  load.close();
  const bench = 'worst-user';
  report({ bench, what: 'p99 of others, his worst / quiet', value: percentile(ratios, 0.5), atMost: 2 });
  report({ bench, what: 'failed calls of others', value: failed.length, atMost: 0 });
});

interface Attacker {
  /** Those of all endpoints in turns. */
  readonly calls: readonly AttackCall[];
}

/** A free user with tasks that are dear to search in; they are made while his limit is out of the way. */
async function prepareAttacker({ apis, databaseUrl }: Deployment): Promise<Attacker> {
  const api = client(apis[0]?.url);
  const account = await api.registerAndLogin();
  const logInAs = async (tier: 'free' | 'premium'): Promise<Session> => {
    await runSql(databaseUrl, `UPDATE users.profiles SET tier = '${tier}' WHERE id = '${account.userId}'`);
    return { ...account, ...(await api.login(account.email, account.password)) };
  };
  const { accessToken } = await logInAs('premium');
  for (const raw of dearTasks()) {
    const headers = { 'content-type': 'application/json' };
    const { status, text } = await api.request('POST', '/v1/tasks/bulk', {
      token: accessToken,
      raw,
      headers,
    });
    if (status !== 200) throw new Error(`His tasks could not be made: ${text.slice(0, 300)}`);
  }
  await runSql(databaseUrl, 'VACUUM ANALYZE');
  const session = await logInAs('free');
  const calls = await callsOf(session);
  api.close();
  return { calls };

  async function callsOf({ email, refreshToken, accessToken: own }: Session): Promise<readonly AttackCall[]> {
    const { body } = await api.request<{ data: { id: string }[] }>('GET', '/v1/tasks?limit=1', {
      token: accessToken,
    });
    const sender = { taskId: body.data[0]?.id ?? '', email, refreshToken };
    const each = Object.entries(dearestInputs)
      .filter(([name]) => values.endpoint === undefined || name === values.endpoint)
      .map(([name, inputs]) => {
        const token = isPublic.has(name) ? '' : own;
        return inputs(sender).map((call) => ({ ...call, token }));
      });
    const longest = Math.max(0, ...each.map(({ length }) => length));
    if (longest === 0) throw new Error(`There is no endpoint ${values.endpoint ?? ''}.`);
    return Array.from({ length: longest }, (_, n) =>
      each.flatMap((inputs) => inputs[n % inputs.length] ?? []),
    ).flat();
  }
}

/** Sends his calls until `work` is done. `his`: how many answers he got, by status. */
async function attackWhile<T>(url: string, attacker: Attacker, work: () => Promise<T>) {
  const child = fork(join(import.meta.dirname, 'support', 'attacker.ts'));
  const told = once(child, 'message') as Promise<[Readonly<Record<string, number>>]>;
  child.send({ ...attacker, url, from: hisAddress });
  const result = await work();
  child.send('stop');
  const [his] = await told;
  child.disconnect();
  return { result, his };
}
