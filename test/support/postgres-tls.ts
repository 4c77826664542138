import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { postgresAccount } from '../../libs/embedded/postgres-process.js';
import { makeCertificates } from './certificates.js';
import { startPostgres } from './postgres.js';
import { createDatabase, runSql } from './test-database.js';

export interface TestPostgresTls {
  /** URL of a new database of the role; it contains neither the password nor TLS settings. */
  createDatabase(): Promise<string>;
  readonly role: string;
  readonly password: string;
  /** The certificate authority that a client has to trust, in PEM. */
  readonly caFile: string;
  stop(): Promise<void>;
}

const role = 'task_api';
/** A password that must be escaped in a URL. */
const password = `p@ss:/?#[]%&$ '"\\,{}`;

/**
 * Starts a throw-away Postgres with a certificate for 127.0.0.1 and no other name. A separate role may log in only over
 * TLS, the superuser also without.
 */
export async function startPostgresTls(): Promise<TestPostgresTls> {
  const directory = await mkdtemp(join(tmpdir(), 'postgres-tls-test-'));
  try {
    const { caFile, certFile, keyFile } = await makeCertificates(directory, 'IP:127.0.0.1');
    const hba = join(directory, 'pg_hba.conf');
    const rules = [
      'hostssl all all 127.0.0.1/32 scram-sha-256',
      'host all postgres 127.0.0.1/32 scram-sha-256',
    ];
    await writeFile(hba, `${rules.join('\n')}\n`);
    await chmod(keyFile, 0o600);
    // The files must belong to the server's account, which is not root.
    await postgresAccount(directory, '/bin/sh');
    const server = await startPostgres({
      settings: { ssl: true, ssl_cert_file: certFile, ssl_key_file: keyFile, hba_file: hba },
    });
    await runSql(server.adminUrl, `CREATE ROLE ${role} LOGIN PASSWORD '${password.replaceAll("'", "''")}'`);
    return {
      ...{ role, password, caFile },
      createDatabase: () => newDatabase(server.adminUrl),
      stop: async () => {
        await server.stop();
        await rm(directory, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

async function newDatabase(adminUrl: string): Promise<string> {
  const url = new URL(await createDatabase(adminUrl));
  await runSql(adminUrl, `ALTER DATABASE "${url.pathname.slice(1)}" OWNER TO ${role}`);
  url.username = role;
  url.password = '';
  return url.href;
}
