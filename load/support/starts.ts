import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { startApi, type Api } from '../../test/support/api.js';
import { waitUnlessEnded } from '../../test/support/wait.js';
import type { Deployment } from './deployment.js';

export interface StartedApi {
  readonly api: Api;
  /** From its exec to readiness. */
  readonly startMs: number;
}

/** As production runs it: nothing is embedded, nothing is migrated. No mail is sent. */
const production = {
  NODE_ENV: 'production',
  MIGRATE_ON_START: 'false',
  LOG_LEVEL: 'info',
  SMTP_URL: 'smtp://127.0.0.1:25',
  MAIL_FROM: 'Task API <no-reply@example.com>',
};

/** Starts another process of the deployment, lets it be used once it is ready, and stops it. */
export async function withAnotherApi<T>(
  { databaseUrl, environment }: Deployment,
  use: (started: StartedApi) => Promise<T>,
): Promise<T> {
  const before = performance.now();
  const api = await startApi({ databaseUrl, env: { ...environment, ...production }, waitUntilReady: false });
  try {
    const isReady = () => answers200(`${api.opsUrl}/readyz`);
    await waitUnlessEnded(api.exited(), isReady, { timeoutMs: 30_000, intervalMs: 10, what: 'readiness' });
    return await use({ api, startMs: performance.now() - before });
  } finally {
    await api.stop();
    // Its last entries in Redis and its connections are gone before the next one starts.
    await sleep(200);
  }
}

/** A connection each: one that was refused says nothing about the next. */
function answers200(url: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    }).on('error', reject);
  });
}
