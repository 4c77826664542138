import { jest } from '@jest/globals';
import { databases, Namespace } from './support/kube.js';
import { underLoad, type LoadResult } from './support/load.js';
import { forLoad, Release, type Helm } from './support/release.js';

jest.setTimeout(1_500_000);

const deployment = `${Release.fullname}-api`;

/** So small that the load makes the autoscaler add pods. */
const values = {
  ...forLoad,
  api: {
    resources: { requests: { cpu: '100m', memory: '512Mi' }, limits: { memory: '512Mi' } },
    autoscaling: { minReplicas: 2, maxReplicas: 4, targetCPUUtilization: 40 },
  },
};
const changed = { ...values, api: { ...values.api, podAnnotations: { version: 'another' } } };

let namespace: Namespace;
let release: Release;

beforeEach(async () => {
  namespace = await Namespace.create('test-upgrade');
  release = new Release(namespace);
});
afterEach(() => namespace.remove());

const wantedPods = async () => (await namespace.get('deployment', deployment)).spec.replicas;

/** Runs the steps under a load that has made the autoscaler add pods. */
async function whileScaled(steps: readonly (() => Promise<unknown>)[]): Promise<LoadResult> {
  return underLoad({ url: await release.url(), rate: 40 }, async () => {
    await namespace.waitFor('the autoscaler to want more pods', async () => (await wantedPods()) === 4);
    await namespace.rolledOut(`deployment/${deployment}`);
    for (const step of steps) {
      await step();
      await namespace.rolledOut(`deployment/${deployment}`);
      expect(await wantedPods()).toBe(4);
    }
  });
}

async function survives(install: Helm, steps: readonly (() => Promise<unknown>)[]): Promise<void> {
  await release.install({ helm: install, values });
  const before = await namespace.lives(...databases);
  const result = await whileScaled(steps);
  expect(result).toMatchObject({ failed: 0, complaints: '' });
  expect(result.calls).toBeGreaterThan(200);
  const after = await namespace.lives(...databases);
  expect(after).toEqual(before);
}

describe('while the autoscaler sets the number of pods, without a failed request', () => {
  it('is upgraded and rolled back by Helm 3', () =>
    survives('helm', [() => release.upgrade({ values: changed }), () => release.rollback()]));

  it('is upgraded and rolled back by Helm 4', () =>
    survives('helm4', [
      () => release.upgrade({ helm: 'helm4', values: changed }),
      () => release.rollback('helm4'),
    ]));

  it('is migrated from Helm 3 to Helm 4 with server-side apply', () =>
    survives('helm', [
      () => release.upgrade({ helm: 'helm4', values: changed, flags: ['--server-side=true'] }),
    ]));
});
