/**
 * `npm run bench -- cached-list`: CPU of the API process and of Redis for lists of 25 tasks, kept and not kept. In turns:
 *
 * - hit: the answer is kept in the process;
 * - miss: the same process, an address that nobody asked for before, so that the list is looked for, read from Postgres
 *   and kept, while the session check is a hit as for everybody who is active;
 * - bare: the same process, a list that it never keeps (`overdue=false`), so that nothing is looked for or stored either;
 * - off: a second process with `CACHE_ENABLED=false`, which reads the session and the list from Postgres and keeps neither.
 *
 * What Postgres takes is left out, which is in favour of misses. All of them are uncached lists; the cheapest one counts.
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

/** What measures a round of calls of one kind, in seconds of CPU. */
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

/** The same query in one of half a million spellings, each with about as much to decode: for the cache, all different. */
function spelling(query: string, n: number): string {
  // Multiplied by an odd number, so that small numbers too spell many letters otherwise, and no two the same.
  let bits = Math.imul(n + 1, 0x9e3b1) & 0x7ffff;
  return query.replaceAll(/[a-z0-9]/g, (letter) => {
    const isEncoded = (bits & 1) === 1;
    bits >>= 1;
    return isEncoded ? `%${letter.charCodeAt(0).toString(16)}` : letter;
  });
}
