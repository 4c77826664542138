import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseEnv } from 'node:util';
import { serverPorts } from '../support/ports.js';
import { root } from './compose-file.js';

const execute = promisify(execFile);

/**
 * A folder in which the parts of compose.yaml run as processes: a copy of `compose/` and of the other mounted files, which
 * the servers' accounts can read wherever the project is, and ports instead of host names.
 */
export interface Place {
  readonly folder: string;
  readonly ports: Readonly<Record<'primary' | 'replica' | 'redis', number>>;
  /** A file of `compose/`. */
  file(path: string): string;
  /** A file of a service's secrets. */
  secret(path: string): string;
  /** Creates a folder for one server. */
  folderFor(name: string): Promise<string>;
  /** Content of the `--env-file` of the API processes. */
  apiEnvironment(): Promise<Readonly<Record<string, string>>>;
  /** Does what the service `secrets` does. Returns its output. */
  makeSecrets(): Promise<string>;
  remove(): Promise<void>;
}

export async function openPlace(): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'compose-test-'));
  await chmod(folder, 0o755);
  await cp(join(root, 'compose'), join(folder, 'compose'), { recursive: true });
  await cp(join(root, 'monitoring', 'rules.yaml'), join(folder, 'monitoring', 'rules.yaml'));
  // Volumes exist before the services that write to them.
  await mkdir(join(folder, 'secrets', 'originals'), { recursive: true });
  const [primary = 0, replica = 0, redis = 0] = await serverPorts(3);
  const ports = { primary, replica, redis };
  const secret = (path: string): string => join(folder, 'secrets', path);
  return {
    folder,
    ports,
    secret,
    file: (path) => join(folder, 'compose', path),
    folderFor: async (name) => {
      const path = join(folder, name);
      await mkdir(path);
      return path;
    },
    apiEnvironment: async () =>
      parseEnv(await readFile(secret('api/api.env'), 'utf8')) as Readonly<Record<string, string>>,
    makeSecrets: () => makeSecrets(folder, ports),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

async function makeSecrets(folder: string, ports: Place['ports']): Promise<string> {
  const env = {
    PATH: process.env['PATH'],
    SECRETS_DIR: join(folder, 'secrets'),
    POSTGRES_PRIMARY: `127.0.0.1:${ports.primary}`,
    POSTGRES_REPLICA: `127.0.0.1:${ports.replica}`,
    REDIS: `127.0.0.1:${ports.redis}`,
  };
  const script = join(folder, 'compose', 'secrets', 'make-secrets.mjs');
  const { stdout } = await execute(process.execPath, [script], { env, timeout: 20_000 });
  return stdout;
}
