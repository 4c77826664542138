import { jest } from '@jest/globals';
import { databases, Namespace } from './support/kube.js';
import { underLoad } from './support/load.js';
import { forLoad, Release } from './support/release.js';

jest.setTimeout(900_000);

let namespace: Namespace;
let release: Release;

beforeAll(async () => {
  namespace = await Namespace.create('test-install');
  release = new Release(namespace);
  await release.install();
});
afterAll(() => namespace.remove());

describe('installed with no value set, where the restricted profile is enforced', () => {
  it('is ready, with as many pods as the autoscaler wants at least', async () => {
    await namespace.waitFor('two pods of the API', async () => {
      const { status } = await namespace.get('deployment', Release.fullname + '-api');
      return status.readyReplicas === 2;
    });
    const [replicas, answer] = [
      await namespace.pods('postgres-replica'),
      await (await release.client()).request('GET', '/healthz'),
    ];
    expect(replicas).toHaveLength(2);
    expect(answer.status).toBe(200);
  });

  it('is kept by Helm in less than 700 kB, of the 1 MiB that a Secret may have', async () => {
    const [kept] = await namespace.list('secrets', 'owner=helm');
    const bytes = kept?.data?.['release']?.length ?? 0;
    expect(bytes).toBeGreaterThan(10_000);
    expect(bytes).toBeLessThan(700_000);
  });

  it("passes the chart's own tests, which write, and read through a replica", async () => {
    expect(await release.test()).toMatch(/Phase:\s+Succeeded/);
  });

  it('is upgraded under load with no failed request, and neither Postgres nor a secret is touched', async () => {
    await release.upgrade({ values: forLoad });
    // With the limits of before they would refuse the load.
    await namespace.leftAlone('api');
    const before = { lives: await namespace.lives(...databases), secrets: await namespace.secrets() };
    const result = await underLoad({ url: await release.url(), rate: 20 }, async () => {
      await release.upgrade({ values: { ...forLoad, api: { podAnnotations: { upgrade: 'once' } } } });
      await namespace.rolledOut(`deployment/${Release.fullname}-api`);
    });
    expect(result).toMatchObject({ failed: 0, complaints: '' });
    expect(result.calls).toBeGreaterThan(200);
    expect({ lives: await namespace.lives(...databases), secrets: await namespace.secrets() }).toEqual(
      before,
    );
  });
});
