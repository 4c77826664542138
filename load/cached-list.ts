/**
 * `npm run bench -- cached-list`: CPU of the API process and of Redis for lists of 25 tasks, cached and uncached. In turns:
 *
 * - hit: the response is in the process's cache;
 * - miss: the same process, a URL that was never requested before: the list is looked up, read from Postgres and
 *   cached, while the session check is a hit, as it is for every active user;
 * - bare: the same process, a list that is never cached (`overdue=false`): nothing is looked up or stored;
 * - off: a second process with `CACHE_ENABLED=false`, which reads the session and the list from Postgres and caches neither.
 *
 * The CPU of Postgres is not counted, which favours misses. The hit is compared with the cheapest of the three others.
 */
import { Caller } from './support/caller.js';
import { cpuSeconds } from './support/cpu.js';
import { withDeployment, type Deployment } from './support/deployment.js';
import { report, say } from './support/figures.js';
import { inTurns } from './support/load.js';
import { percentile } from './support/percentile.js';
import { seedUsers, type LoadUser } from './support/users.js';

const users = 20;
const rounds = 20;
const warmUpRounds = 3;
const callsOfARound = 1000;
const clients = 8;
const kinds = ['hit', 'miss', 'bare', 'off'] as const;
type Kind = (typeof kinds)[number];

const query = 'limit=25&deleted=false';
const bareQuery = 'limit=25&overdue=false';

await withDeployment({ apis: [{}, { CACHE_ENABLED: 'false' }] }, async (deployment) => {
  const seeded = await seedUsers(deployment, { users, tasksOfEach: 100 });
  const measure = await prepare(deployment, seeded);
  const times: Record<Kind, number[]> = { hit: [], miss: [], bare: [], off: [] };
  for (let round = -warmUpRounds; round < rounds; round++) {
    for (const kind of round % 2 === 0 ? kinds : kinds.toReversed()) {
      const seconds = await measure(kind);
      if (round >= 0) times[kind].push(seconds);
    }
  }
  const median = (values: readonly number[]): number => percentile(values, 0.5);
  for (const kind of kinds) {
    say(`${kind.padEnd(5)} ${(median(times[kind]) * 1000).toFixed(0)} ms of CPU for ${callsOfARound} lists`);
  }
  const ratios = kinds.slice(1).map((uncached) => {
    const ratio = median(times.hit.map((seconds, round) => seconds / (times[uncached][round] ?? NaN)));
    say(`hit/${uncached.padEnd(5)} ${ratio.toFixed(3)}, median of ${rounds} pairs`);
    return ratio;
  });
  report({ bench: 'cached-list', what: 'CPU, cached/uncached', value: Math.max(...ratios), atMost: 1 / 3 });
});

/** Measures one round of calls of one kind, in seconds of CPU. */
async function prepare({ apis, redis }: Deployment, seeded: readonly LoadUser[]) {
  const [cached, uncached] = apis;
  if (cached === undefined || uncached === undefined) throw new Error('Two processes are needed.');
  const [, redisPid] = /process_id:(\d+)/.exec(String(await redis.command('INFO', 'server'))) ?? [];
  const callers = { hit: new Caller(cached.url), off: new Caller(uncached.url) };
  let fresh = 0;
  return async (kind: Kind): Promise<number> => {
    const pids = [kind === 'off' ? uncached.pid : cached.pid, Number(redisPid)];
    const before = cpuSeconds(pids);
    const send = async (n: number): Promise<number> => {
      const user = n % users;
      const variant = kind === 'hit' ? user : users + fresh++;
      const path = `/v1/tasks?${spelling(kind === 'bare' ? bareQuery : query, variant)}`;
      const { token } = seeded[user] ?? { token: '' };
      const status = await callers[kind === 'off' ? 'off' : 'hit'].send({ method: 'GET', path, token });
      if (status !== 200) throw new Error(`No list: ${status}`);
      return status;
    };
    await inTurns(clients, send, (n) => n < callsOfARound);
    return cpuSeconds(pids) - before;
  };
}

/** The same query in one of half a million spellings, each about as long to decode. For the cache, all are different. */
function spelling(query: string, n: number): string {
  // Multiplying by an odd number makes small numbers change many letters too, and keeps all spellings distinct.
  let bits = Math.imul(n + 1, 0x9e3b1) & 0x7ffff;
  return query.replaceAll(/[a-z0-9]/g, (letter) => {
    const isEncoded = (bits & 1) === 1;
    bits >>= 1;
    return isEncoded ? `%${letter.charCodeAt(0).toString(16)}` : letter;
  });
}
