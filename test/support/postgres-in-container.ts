import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { freePorts, type PostgresSettings } from '../../libs/embedded/postgres-cluster.js';
import type { RunningServer } from './running-server.js';
import { runSql } from './test-database.js';
import { waitFor } from './wait.js';

const execute = promisify(execFile);

/** Starts a server in a container; null if no container engine runs. */
export async function startInContainer(
  version: number,
  settings: PostgresSettings,
): Promise<RunningServer | null> {
  const engine = await runningEngine();
  if (engine === null) return null;
  const name = `postgres-test-${randomBytes(6).toString('hex')}`;
  const password = randomBytes(16).toString('hex');
  const [port = 0] = await freePorts(1);
  const options = Object.entries(settings).flatMap(([setting, value]) => [
    '-c',
    `${setting}=${String(value)}`,
  ]);
  const published = ['-p', `127.0.0.1:${port}:5432`, '-e', `POSTGRES_PASSWORD=${password}`];
  await call(engine, ['run', '-d', '--name', name, ...published, `postgres:${version}`, ...options]);
  const adminUrl = `postgresql://postgres:${password}@127.0.0.1:${port}/postgres`;
  const server = controls(engine, name, port, adminUrl);
  try {
    await ready(adminUrl);
    return server;
  } catch (error) {
    await server.stop();
    throw error;
  }
}

function controls(engine: string, name: string, port: number, adminUrl: string): RunningServer {
  return {
    adminUrl,
    port,
    kill: () => call(engine, ['kill', name]),
    start: async () => {
      await call(engine, ['start', name]);
      await ready(adminUrl);
    },
    stop: () => call(engine, ['rm', '-f', '-v', name]),
  };
}

/** At its first start, the image listens on no port until the setup is done, and then restarts once. */
async function ready(adminUrl: string): Promise<void> {
  await waitFor(() => runSql(adminUrl, 'SELECT 1'), { timeoutMs: 60_000, intervalMs: 250, what: 'Postgres' });
}

async function runningEngine(): Promise<string | null> {
  for (const engine of ['docker', 'podman']) {
    const answer = await execute(engine, ['info'], { timeout: 10_000 }).catch(() => null);
    if (answer !== null) return engine;
  }
  return null;
}

async function call(engine: string, args: readonly string[]): Promise<void> {
  // Long enough to pull the image.
  await execute(engine, [...args], { timeout: 300_000 });
}
