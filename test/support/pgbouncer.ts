import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { postgresAccount } from '../../libs/embedded/postgres-process.js';
import { isListening, serverPorts } from './ports.js';
import { getProgram } from './programs.js';
import { runServer } from './server-process.js';

export interface Pgbouncer {
  readonly port: number;
  /** URL of any database of the target, with the same user. */
  url(database: string): string;
  stop(): Promise<void>;
}

export interface PgbouncerOptions {
  readonly target: { readonly port: number; readonly user: string; readonly password: string };
  /** Connections to the target per database. Default: 5. */
  readonly poolSize?: number;
}

/**
 * Starts PgBouncer in transaction mode. In this mode, Debian 12's version (1.18) does not support named prepared
 * statements; 1.21 added them with `max_prepared_statements`.
 */
export async function startPgbouncer({ target, poolSize = 5 }: PgbouncerOptions): Promise<Pgbouncer> {
  const program = await getProgram('pgbouncer');
  const [port = 0] = await serverPorts(1);
  const directory = await mkdtemp(join(tmpdir(), 'pgbouncer-test-'));
  const users = join(directory, 'users');
  await writeFile(users, `"${target.user}" "${target.password}"\n`, { mode: 0o600 });
  const file = join(directory, 'pgbouncer.ini');
  await writeFile(file, configuration({ port, users, target: target.port, poolSize }), { mode: 0o600 });
  // It refuses to run as root, as Postgres does.
  const account = await postgresAccount(directory, program);
  const server = await runServer({
    program,
    args: [file],
    directory,
    ...(account === null ? {} : { account }),
    isReady: () => isListening(port),
  });
  return {
    port,
    url: (database) =>
      `postgresql://${target.user}:${target.password}@127.0.0.1:${port}/${encodeURIComponent(database)}`,
    stop: () => server.stop(),
  };
}

interface Places {
  readonly port: number;
  readonly users: string;
  readonly target: number;
  readonly poolSize: number;
}

function configuration({ port, users, target, poolSize }: Places): string {
  return `
[databases]
* = host=127.0.0.1 port=${target}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${users}
pool_mode = transaction
default_pool_size = ${poolSize}
max_client_conn = 1000
`;
}
