import { setTimeout as sleep } from 'node:timers/promises';
import { client, newRegistration } from '../../support/client.js';
import { surge } from './outcomes.js';
import type { Stage } from './stage.js';
import type { Traffic } from './traffic.js';

export type Heal = () => Promise<void>;

/** What goes wrong for real, and the alerts that are to tell of it. */
export interface Fault {
  readonly what: string;
  readonly alerts: readonly string[];
  /** @returns What makes it good again. */
  inject(stage: Stage, traffic: Traffic): Promise<Heal>;
}

/**
 * Those that use up the budgets, and so come first: until the last of their alerts is over, a window of 6 h must have passed,
 * which is 6 minutes here, and nothing may fail meanwhile.
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

/** Those that fail no request that is answered. */
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

/** A process is gone; it comes back as another version, as in a deployment. */
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

/** As when the cluster has no pod any more: there is no `up`, where a process that does not answer has one of 0. */
export const disappearance: Fault = {
  what: 'there is no process any more that Prometheus could ask',
  alerts: ['TaskApiDown', 'TaskApiAbsent'],
  inject: (stage) => stage.hideProcesses(),
};

/** Calls per second of the traffic that goes on all the time. */
export const usualRate = 20;

const healedBy = (heal: () => Promise<void> | void): Promise<Heal> =>
  Promise.resolve(() => Promise.resolve(heal()));

/** Does it one time after the other until the function that it returns is called. */
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

/** Its session and its list are in no cache: each token has a place of its own there, as has each address. */
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
