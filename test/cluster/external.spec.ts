import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { makeCertificates, type Certificates } from '../support/certificates.js';
import { Namespace } from './support/kube.js';
import { startPod } from './support/probe.js';
import { Release } from './support/release.js';

jest.setTimeout(900_000);

const password = 'of-the-test';
let namespace: Namespace;
let outside: Namespace;
let folder: string;
let certificates: Certificates;
let release: Release;

beforeAll(async () => {
  namespace = await Namespace.create('test-external');
  outside = await Namespace.create('test-external-stores');
  folder = await mkdtemp(join(tmpdir(), 'external-'));
  certificates = await makeCertificates(folder, `DNS:${hostOf('postgres')},DNS:${hostOf('redis')}`);
  await makeSecret(outside, 'tls', {
    'ca.crt': await readFile(certificates.caFile, 'utf8'),
    'tls.crt': await readFile(certificates.certFile, 'utf8'),
    'tls.key': await readFile(certificates.keyFile, 'utf8'),
  });
  await Promise.all([startPostgres(), startRedis()]);
});
afterAll(async () => {
  await namespace.remove();
  await outside.remove();
  await rm(folder, { recursive: true, force: true });
});

const hostOf = (store: string) => `${store}.test-external-stores.svc.cluster.local`;

async function makeSecret(where: Namespace, name: string, stringData: Readonly<Record<string, string>>) {
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData };
  await where.apply(JSON.stringify(secret));
}

/** A server like a cloud provider's: it accepts TLS only, with a certificate of its own authority. */
async function startStore(name: string, image: string, port: number, script: string): Promise<void> {
  const copy = 'install -m 600 /tls/tls.key /tmp/tls.key';
  await startPod(outside, name, {
    image,
    command: ['bash', '-euc', `${copy}\n${script}`],
    secrets: { tls: '/tls' },
  });
  const spec = { selector: { app: name }, ports: [{ port }] };
  await outside.apply(JSON.stringify({ apiVersion: 'v1', kind: 'Service', metadata: { name }, spec }));
}

const startPostgres = () =>
  startStore(
    'postgres',
    'postgres:15-bookworm',
    5432,
    `export PGDATA=/tmp/data
     initdb -U postgres --auth-local=trust >/dev/null
     echo 'hostssl all all all scram-sha-256' >"$PGDATA/pg_hba.conf"
     echo 'local all all trust' >>"$PGDATA/pg_hba.conf"
     (until psql -qU postgres -h /tmp -c "CREATE ROLE task_api LOGIN PASSWORD '${password}'" -c 'CREATE DATABASE task_api OWNER task_api'; do sleep 1; done) &
     exec postgres -c listen_addresses='*' -c unix_socket_directories=/tmp -c ssl=on -c ssl_cert_file=/tls/tls.crt -c ssl_key_file=/tmp/tls.key`,
  );

const startRedis = () =>
  startStore(
    'redis',
    'redis:7-bookworm',
    6379,
    `exec redis-server --port 0 --tls-port 6379 --tls-cert-file /tls/tls.crt --tls-key-file /tmp/tls.key \
      --tls-ca-cert-file /tls/ca.crt --tls-auth-clients no --requirepass ${password} --save '' --dir /tmp`,
  );

const verified = 'sslmode=verify-full&sslrootcert=/etc/task-api/postgres-ca/ca.crt';
const values = {
  postgres: { mode: 'external', external: { existingSecret: 'stores', caSecret: 'authority' } },
  redis: { mode: 'external', external: { existingSecret: 'stores', caSecret: 'authority' } },
  api: { startupTimeoutSeconds: 60 },
};

beforeAll(async () => {
  await makeSecret(namespace, 'stores', {
    DATABASE_URL: `postgres://task_api:${password}@${hostOf('postgres')}:5432/task_api?${verified}`,
    REDIS_URL: `rediss://:${password}@${hostOf('redis')}:6379`,
  });
  await makeSecret(namespace, 'authority', { 'ca.crt': await readFile(certificates.caFile, 'utf8') });
  release = new Release(namespace);
  await release.install({ values });
});

it('works with an external Postgres and Redis that accept only TLS, and verifies their certificates', async () => {
  expect(await release.test()).toMatch(/Phase:\s+Succeeded/);
  const [pod] = await namespace.pods('api');
  const logs = await namespace.kubectl(['logs', pod?.metadata.name ?? '', '--container', 'api']);
  expect(logs).toContain('Redis is reached');
  expect(logs).not.toContain('Redis is lost');
});

it('refuses servers with a certificate of another authority, while the existing pods keep serving', async () => {
  const { caFile } = await makeCertificates(await mkdtemp(join(folder, 'other-')));
  await makeSecret(namespace, 'authority', { 'ca.crt': await readFile(caFile, 'utf8') });
  await namespace.kubectl(['rollout', 'restart', `deployment/${Release.fullname}-api`]);
  await namespace.waitFor('a new pod to refuse the server', async () => {
    const pods = (await namespace.pods('api')).filter(({ status }) => status.phase === 'Pending');
    const logs = await Promise.all(
      pods.map(({ metadata }) =>
        namespace.kubectl(['logs', metadata.name, '--container', 'wait-for-schema']).catch(() => ''),
      ),
    );
    return logs.some((log) => /certificate/.test(log));
  });
  const { status } = await namespace.get('deployment', `${Release.fullname}-api`);
  expect(status.readyReplicas).toBe(2);
  expect((await (await release.client()).request('GET', '/healthz')).status).toBe(200);
});
