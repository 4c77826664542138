import { jest } from '@jest/globals';
import { Namespace } from './support/kube.js';
import { probeFrom, startProbe } from './support/probe.js';
import { Release } from './support/release.js';

jest.setTimeout(900_000);

const primary = `${Release.fullname}-postgres-primary`;
const replica = `${Release.fullname}-postgres-replica`;

let namespace: Namespace;
let monitoring: Namespace;
let release: Release;
/** Addresses and ports that the policies protect. */
let targets: Readonly<Record<'postgres' | 'replica' | 'redis' | 'operations' | 'api', string>>;

beforeAll(async () => {
  namespace = await Namespace.create('test-policies');
  monitoring = await Namespace.create('test-policies-monitoring');
  release = new Release(namespace);
  await release.install({ values: { networkPolicy: { ops: { monitoringNamespace: monitoring.name } } } });
  await Promise.all([
    startProbe(namespace, 'stranger'),
    startProbe(monitoring, 'scraper'),
    startProbe(monitoring, 'listener'),
  ]);
  const [api] = await namespace.pods('api');
  targets = {
    postgres: `${await addressOf(`${primary}-0`)} 5432`,
    replica: `${await addressOf(`${replica}-0`)} 5432`,
    redis: `${await release.addressOf(`${Release.fullname}-redis`)} 6379`,
    operations: `${api?.status.podIP ?? ''} 5001`,
    api: `${await release.addressOf(Release.fullname)} 80`,
  };
});
afterAll(async () => {
  await namespace.remove();
  await monitoring.remove();
});

const addressOf = async (pod: string) => (await namespace.get('pod', pod)).status.podIP ?? '';

describe('with the network policies', () => {
  it('a pod outside the release reaches only the API', async () => {
    const from = { namespace, pod: 'stranger' };
    expect(await probeFrom(from, targets.api)).toBe('open');
    for (const name of ['postgres', 'replica', 'redis', 'operations'] as const) {
      // A new pod is unprotected until its node has applied the policies.
      await namespace.waitFor(
        `${name} to be closed`,
        async () => (await probeFrom(from, targets[name])) === 'closed',
      );
    }
    expect(await probeFrom(from, targets.api)).toBe('open');
  });

  it('monitoring reaches the operations port, but neither Postgres nor Redis', async () => {
    const from = { namespace: monitoring, pod: 'scraper' };
    expect(await probeFrom(from, targets.operations)).toBe('open');
    for (const name of ['postgres', 'replica', 'redis'] as const)
      await namespace.waitFor(
        `${name} to be closed`,
        async () => (await probeFrom(from, targets[name])) === 'closed',
      );
  });

  it('Postgres and Redis reach nothing outside the release, and the primary is reached by its replicas', async () => {
    const listener = (await monitoring.get('pod', 'listener')).status.podIP ?? '';
    // It does listen, as a pod shows that a policy lets out.
    expect(await probeFrom({ namespace: monitoring, pod: 'scraper' }, `${listener} 8080`)).toBe('open');
    for (const pod of [
      `${primary}-0`,
      `${replica}-0`,
      (await namespace.pods('redis'))[0]?.metadata.name ?? '',
    ]) {
      const from = { namespace, pod };
      expect(await probeFrom(from, `${listener} 8080`)).toBe('closed');
      expect(await probeFrom(from, targets.api)).toBe('closed');
    }
    expect(await probeFrom({ namespace, pod: `${replica}-0` }, targets.postgres)).toBe('open');
  });

  it('everything that the release itself needs is allowed', async () => {
    expect(await release.test()).toMatch(/Phase:\s+Succeeded/);
    expect(await streaming()).toBe('2');
  });
});

const streaming = async () =>
  (
    await namespace.exec(`${primary}-0`, [
      'psql',
      '--tuples-only',
      '--no-align',
      '--command',
      "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'",
    ])
  ).trim();
