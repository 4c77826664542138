import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { getProgram } from './programs.js';

const execute = promisify(execFile);

/** Paths of PEM files. */
export interface Certificates {
  /** The certificate authority that a client has to trust; no system trusts it. */
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

export const localNames = 'IP:127.0.0.1,DNS:localhost';

/** Creates a certificate authority and a server certificate for these names. Uses openssl, because Node cannot create certificates. */
export async function makeCertificates(directory: string, names = localNames): Promise<Certificates> {
  const program = await getProgram('openssl');
  const openssl = (...args: readonly string[]): Promise<unknown> =>
    execute(program, [...args], { cwd: directory, timeout: 15_000 });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await writeFile(join(directory, 'names'), `subjectAltName=${names}\n`);
  const authority = ['-subj', '/CN=Test authority', '-keyout', 'ca.key', '-out', 'ca.crt', '-days', '2'];
  await openssl('req', '-x509', ...newKey, ...authority);
  const request = ['-subj', '/CN=Test server', '-keyout', 'server.key', '-out', 'request'];
  await openssl('req', '-new', ...newKey, ...request);
  const signer = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'names'];
  await openssl('x509', '-req', '-in', 'request', '-out', 'server.crt', ...signer);
  const at = (name: string): string => join(directory, name);
  return { caFile: at('ca.crt'), certFile: at('server.crt'), keyFile: at('server.key') };
}
