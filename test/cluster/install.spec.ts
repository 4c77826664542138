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

describe('installed without any values, in a namespace that enforces the restricted profile', () => {
  it('is ready, with the minimum number of pods of the autoscaler', async () => {
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

  it('is stored by Helm in less than 700 kB, of the 1 MiB that a Secret may have', async () => {
    const [kept] = await namespace.list('secrets', 'owner=helm');
    const bytes = kept?.data?.['release']?.length ?? 0;
    expect(bytes).toBeGreaterThan(10_000);
    expect(bytes).toBeLessThan(700_000);
  });

  it("passes the chart's own tests, which write, and read through a replica", async () => {
    expect(await release.test()).toMatch(/Phase:\s+Succeeded/);
  });

  it('is upgraded under load without a failed request, and Postgres and the secrets stay unchanged', async () => {
    await release.upgrade({ values: forLoad });
    // The previous limits would refuse the load.
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
