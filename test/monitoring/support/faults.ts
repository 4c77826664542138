import { setTimeout as sleep } from 'node:timers/promises';
import { client, newRegistration } from '../../support/client.js';
import { runSql } from '../../support/test-database.js';
import { surge } from './outcomes.js';
import type { Stage } from './stage.js';
import type { Traffic } from './traffic.js';

export type Heal = () => Promise<void>;

/** A real fault and the alerts that must fire. */
export interface Fault {
  readonly what: string;
  readonly alerts: readonly string[];
  /** @returns A function that ends the fault. */
  inject(stage: Stage, traffic: Traffic): Promise<Heal>;
}

/**
 * Faults that use up the error budgets. They come first, because their last alert ends only after a window of 6 h (6 minutes
 * here) in which nothing fails.
 */
export const budgetFaults: readonly Fault[] = [
  {
    what: 'the way to the primary is slow',
    alerts: ['TaskApiLatencyBurningFast', 'TaskApiLatencyBurningSlowly', 'TaskApiPoolExhausted'],
    inject: ({ primaryWay }) => {
      primaryWay.slow(150);
      return healedBy(() => primaryWay.slow(0));
    },
  },
  {
    what: 'the primary is not reached',
    alerts: [
      'TaskApiAvailabilityBurningFast',
      'TaskApiAvailabilityBurningSlowly',
      'TaskApiDatabaseServerDown',
    ],
    inject: ({ primaryWay }) => {
      primaryWay.cut();
      return healedBy(() => primaryWay.restore());
    },
  },
];

/** Faults during which every response is a success. */
export const harmlessFaults: readonly Fault[] = [
  {
    what: 'Redis is gone',
    alerts: ['TaskApiWithoutRedis', 'TaskApiUntrusted'],
    inject: async ({ redis }) => {
      await redis.kill();
      return () => redis.start();
    },
  },
  {
    what: 'a replica stands still',
    alerts: ['TaskApiReplicaLagging'],
    inject: async ({ replica }) => {
      await replica.pauseReplay();
      return () => replica.resumeReplay();
    },
  },
  {
    what: 'the mail server is not reached',
    alerts: ['TaskApiOutboxGrowing', 'TaskApiEventsFailing'],
    inject: (stage) => {
      stage.mailWay.cut();
      const stopRegistering = again(() => register(stage));
      return healedBy(async () => {
        await stopRegistering();
        stage.mailWay.restore();
      });
    },
  },
  {
    what: 'a consumer gave up an event',
    alerts: ['TaskApiEventsSetAside'],
    inject: async ({ databaseUrl }) => {
      await runSql(databaseUrl, setAside);
      return async () => {
        await runSql(databaseUrl, 'DELETE FROM users.inbox WHERE failed_at IS NOT NULL');
      };
    },
  },
  {
    what: 'a process gets no processor more than half of the time',
    alerts: ['TaskApiEventLoopSlow'],
    inject: ({ apis }) => healedBy(again(() => holdUp(apis[0]?.pid ?? 0))),
  },
  {
    what: 'clients take a new token for each call, and ask for what nobody asked before',
    alerts: ['TaskApiCacheCollapsed'],
    inject: async (stage, traffic) => {
      await traffic.pause();
      const ends = await Promise.all(stage.apis.map((_, n) => askAnew(stage, n)));
      return async () => {
        await Promise.all(ends.map((end) => end()));
        traffic.resume(usualRate);
      };
    },
  },
  {
    what: 'somebody goes on beyond the limit',
    alerts: ['TaskApiRateLimitSurge'],
    inject: (stage) => healedBy(again(() => surge(stage, 100))),
  },
];

/** Stops a process, which comes back as another version, as in a deployment. */
export const deployment = (version: string): Fault => ({
  what: 'one of the processes is gone',
  alerts: ['TaskApiTargetDown'],
  inject: async (stage) => {
    await stage.apis[1]?.stop();
    return () => stage.restart(1, version);
  },
});

export const outage = (version: string): Fault => ({
  what: 'all processes are gone',
  alerts: ['TaskApiDown'],
  inject: async (stage) => {
    await Promise.all(stage.apis.map((api) => api.stop()));
    return async () => {
      await stage.restart(0, version);
      await stage.restart(1, version);
    };
  },
});

/** As if the cluster had no pods left: `up` does not exist, while it is 0 for a process that does not answer. */
export const disappearance: Fault = {
  what: 'there is no process any more that Prometheus could ask',
  alerts: ['TaskApiDown', 'TaskApiAbsent'],
  inject: (stage) => stage.hideProcesses(),
};

/** As after 12 attempts, which take about an hour. */
const setAside = `
  INSERT INTO users.inbox (consumer, event_id, topic, payload, occurred_at, available_at, attempts, failed_at)
  VALUES ('users.make-profile', gen_random_uuid(), 'user.registered', '{}', now(), 'infinity', 12, now())`;

/** Calls per second of the background traffic. */
export const usualRate = 20;

const healedBy = (heal: () => Promise<void> | void): Promise<Heal> =>
  Promise.resolve(() => Promise.resolve(heal()));

/** Repeats the action until the returned function is called. */
function again(act: () => Promise<unknown>): () => Promise<void> {
  const end = new AbortController();
  const acting = (async () => {
    while (!end.signal.aborted) await act();
  })();
  return async () => {
    end.abort();
    await acting;
  };
}

async function register({ apis }: Stage): Promise<void> {
  const calls = client(apis[0]?.url, '127.0.0.10');
  await calls.request('POST', '/v1/auth/register', { body: newRegistration() });
  calls.close();
}

/** Neither its session nor its list is cached: each token and each address has its own cache entry. */
async function askAnew({ apis }: Stage, n: number): Promise<Heal> {
  const calls = client(apis[n]?.url, `127.0.0.${20 + n}`);
  let { refreshToken: refresh_token } = await calls.registerAndLogin();
  let count = 0;
  const end = again(async () => {
    const { body } = await calls.request<Tokens>('POST', '/v1/auth/refresh', { body: { refresh_token } });
    refresh_token = body.refresh_token;
    await calls.request('GET', `/v1/tasks?tag=${count++}`, { token: body.access_token });
    await sleep(100);
  });
  return () => end().finally(() => calls.close());
}

interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
}

async function holdUp(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  try {
    await sleep(150);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  await sleep(100);
}
