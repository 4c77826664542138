import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { getProgram } from './programs.js';
import { startRedis, type RedisTls, type TestRedis } from './redis.js';

const execute = promisify(execFile);

export interface TestRedisTls extends TestRedis {
  /** The authority that a client has to trust, in PEM; no system does. */
  readonly caFile: string;
}

/** A throw-away Redis that speaks TLS only, with a certificate for 127.0.0.1 and localhost. */
export async function startRedisTls(): Promise<TestRedisTls> {
  const directory = await mkdtemp(join(tmpdir(), 'redis-tls-test-'));
  try {
    const tls = await makeCertificates(directory);
    return { ...(await startRedis({ tls, directory })), caFile: tls.caFile };
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

/** By openssl, since Node cannot make certificates. */
async function makeCertificates(directory: string): Promise<RedisTls> {
  const program = await getProgram('openssl');
  const openssl = (...args: readonly string[]): Promise<unknown> =>
    execute(program, [...args], { cwd: directory, timeout: 15_000 });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const names = 'subjectAltName=IP:127.0.0.1,DNS:localhost\n';
  await writeFile(join(directory, 'names'), names);
  const authority = ['-subj', '/CN=Test authority', '-keyout', 'ca.key', '-out', 'ca.crt', '-days', '2'];
  await openssl('req', '-x509', ...newKey, ...authority);
  await openssl(
    'req',
    '-new',
    ...newKey,
    '-subj',
    '/CN=Test Redis',
    '-keyout',
    'server.key',
    '-out',
    'request',
  );
  const signer = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'names'];
  await openssl('x509', '-req', '-in', 'request', '-out', 'server.crt', ...signer);
  const at = (name: string): string => join(directory, name);
  return { caFile: at('ca.crt'), certFile: at('server.crt'), keyFile: at('server.key') };
}
