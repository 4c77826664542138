import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificates } from './certificates.js';
import { startRedis, type TestRedis } from './redis.js';

export interface TestRedisTls extends TestRedis {
  /** The certificate authority that a client has to trust, in PEM; no system trusts it. */
  readonly caFile: string;
}

/** Starts a throw-away Redis that accepts TLS only. Its certificate is by default for 127.0.0.1 and localhost. */
export async function startRedisTls(names?: string): Promise<TestRedisTls> {
  const directory = await mkdtemp(join(tmpdir(), 'redis-tls-test-'));
  try {
    const tls = await makeCertificates(directory, names);
    return { ...(await startRedis({ tls, directory })), caFile: tls.caFile };
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}
