import { startApi, type Api } from './api.js';
import { startPostgres, type TestPostgres } from './postgres.js';

/**
 * The servers that all suites of a run share. Jest calls the hooks of each project in one process, but possibly with
 * separate copies of this module, so the state is stored on the process.
 */
interface SharedServers {
  users: number;
  postgres?: Promise<TestPostgres>;
  api?: Promise<Api>;
}

const key = Symbol.for('task-api.test.shared-servers');

function shared(): SharedServers {
  const holder = globalThis as { [key]?: SharedServers | undefined };
  return (holder[key] ??= { users: 0 });
}

/**
 * Starts Postgres for the suites and sets TEST_DATABASE_ADMIN_URL; if wanted, also an API with TEST_API_URL and others.
 * Variables that are already set are kept, so that the e2e suites can run on any deployment.
 */
export async function shareServers({ api }: { readonly api: boolean }): Promise<void> {
  const state = shared();
  state.users += 1;
  if (state.users === 1) endOnSignals();
  if (api && process.env['TEST_API_URL'] !== undefined) return;
  if (process.env['TEST_DATABASE_ADMIN_URL'] === undefined) await sharePostgres(state);
  if (api) await shareApi(state);
}

async function sharePostgres(state: SharedServers): Promise<void> {
  const version = process.env['TEST_POSTGRES_VERSION'];
  state.postgres ??= startPostgres({
    shared: true,
    ...(version === undefined ? {} : { version: Number(version) }),
  });
  process.env['TEST_DATABASE_ADMIN_URL'] = (await state.postgres).adminUrl;
}

async function shareApi(state: SharedServers): Promise<void> {
  state.api ??= startApi();
  const { url, opsUrl, mailDir, databaseUrl } = await state.api;
  Object.assign(process.env, {
    TEST_API_URL: url,
    TEST_OPS_URL: opsUrl,
    TEST_MAIL_DIR: mailDir,
    TEST_DATABASE_URL: databaseUrl,
  });
}

/** A signal would end Jest without the `exit` event, on which the final cleanup of the servers depends. */
function endOnSignals(): void {
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.once(signal, () => process.exit(code));
  }
}

/** Stops everything after the last project has finished. */
export async function releaseServers(): Promise<void> {
  const state = shared();
  state.users -= 1;
  if (state.users > 0) return;
  await (await state.api?.catch(() => undefined))?.stop();
  await (await state.postgres?.catch(() => undefined))?.stop();
}
