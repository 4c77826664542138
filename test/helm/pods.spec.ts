import { describe, expect, it } from '@jest/globals';
import { manifests, variants } from './chart.js';
import { containersOf, podsOf, theOne, type Container, type Pod } from './manifest.js';

/** Kinds of volumes that the restricted Pod Security Standard allows. */
const admittedVolumes = [
  'configMap',
  'downwardAPI',
  'emptyDir',
  'persistentVolumeClaim',
  'projected',
  'secret',
];

const named = (pod: Pod, container: Container) => `${pod.owner}/${container.name}`;

/** The Job that creates the Secrets: only this one talks to the API server. */
const isSecretsJob = (pod: Pod) => pod.labels['app.kubernetes.io/component'] === 'secrets';

describe.each(variants)('each pod with values %s', (_name, files) => {
  const pods = podsOf(manifests({ files }));

  it('meets the restricted Pod Security Standard, with a read-only root file system', () => {
    expect(pods.length).toBeGreaterThan(2);
    for (const pod of pods) {
      const { securityContext, hostIPC, hostNetwork, hostPID, volumes = [] } = pod.spec;
      expect([pod.owner, hostIPC, hostNetwork, hostPID]).toEqual([
        pod.owner,
        undefined,
        undefined,
        undefined,
      ]);
      expect(securityContext).toMatchObject({
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      expect(securityContext?.runAsUser).toBeGreaterThan(0);
      for (const { name: _, ...source } of volumes) expect(admittedVolumes).toContain(Object.keys(source)[0]);
      for (const container of containersOf(pod))
        expect([named(pod, container), container.securityContext]).toEqual([
          named(pod, container),
          { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
        ]);
    }
  });

  it('has no token of the cluster, except the one that creates the Secrets', () => {
    for (const pod of pods) {
      expect([pod.owner, pod.spec.automountServiceAccountToken]).toEqual([pod.owner, false]);
      expect([pod.owner, pod.spec.enableServiceLinks]).toEqual([pod.owner, false]);
      const hasToken = JSON.stringify(pod.spec.volumes ?? []).includes('serviceAccountToken');
      expect([pod.owner, hasToken]).toEqual([pod.owner, isSecretsJob(pod)]);
    }
  });

  it('requests CPU and memory, and has only a memory limit', () => {
    for (const pod of pods)
      for (const container of containersOf(pod)) {
        const name = named(pod, container);
        const { requests = {}, limits = {} } = container.resources ?? {};
        expect([name, Object.keys(requests).sort()]).toEqual([name, ['cpu', 'memory']]);
        expect([name, Object.keys(limits)]).toEqual([name, ['memory']]);
      }
  });

  it('has probes if it runs permanently', () => {
    for (const pod of pods.filter(({ kind }) => ['Deployment', 'StatefulSet'].includes(kind)))
      for (const container of pod.spec.containers)
        expect([named(pod, container), container]).toEqual([
          named(pod, container),
          expect.objectContaining({ readinessProbe: expect.anything(), livenessProbe: expect.anything() }),
        ]);
  });

  it('sets each variable once', () => {
    for (const pod of pods)
      for (const container of containersOf(pod)) {
        const names = (container.env ?? []).map(({ name }) => name);
        expect([named(pod, container), names.length]).toEqual([named(pod, container), new Set(names).size]);
      }
  });
});

it('all pods use the configured registry, digest, pull secrets and priority class', () => {
  const pods = podsOf(
    manifests({
      files: ['ci/monitored-values.yaml', 'ci/fixed-values.yaml'],
    }),
  );
  for (const pod of pods) {
    expect([pod.owner, pod.spec.imagePullSecrets]).toEqual([pod.owner, [{ name: 'registry' }]]);
    expect([pod.owner, pod.spec.priorityClassName]).toEqual([pod.owner, 'important']);
    for (const { image } of containersOf(pod)) {
      expect(image).toMatch(/^registry\.example\.com\//);
      if (image.includes('task-api')) expect(image).toContain('task-api@sha256:0123');
    }
  }
});

describe('the pods of the API', () => {
  const api = (set: Record<string, unknown> = {}) => {
    const [pod] = podsOf([theOne(manifests({ set }), 'Deployment', '-api')]);
    if (pod === undefined) throw new Error('no pod');
    const [container] = pod.spec.containers;
    if (container === undefined) throw new Error('no container');
    const env = Object.fromEntries((container.env ?? []).map(({ name, value }) => [name, value]));
    return { pod, container, env };
  };

  it('have time to stop for the sleep, the requests in flight and 10 s more', () => {
    const { pod, env } = api({ 'api.preStopSeconds': 60 });
    expect(pod.spec.terminationGracePeriodSeconds).toBe(60 + 45 + 10);
    expect(env).toMatchObject({ STOP_DELAY_MS: '0', STOP_TIMEOUT_MS: '45000' });
  });

  it('may take as long to start as the value says', () => {
    const { container } = api({ 'api.startupTimeoutSeconds': 61 });
    const { periodSeconds = 0, failureThreshold = 0 } = container.startupProbe ?? {};
    expect(periodSeconds * failureThreshold).toBeGreaterThanOrEqual(61);
  });

  it('use each bundled replica, and none if there is none', () => {
    expect(api({ 'postgres.bundled.replicas': 3 }).env.DATABASE_REPLICA_URLS?.split(',')).toHaveLength(3);
    expect(api({ 'postgres.bundled.replicas': 0 }).env.DATABASE_REPLICA_URLS).toBeUndefined();
  });

  it('get integers unchanged, and threads for all password hashes', () => {
    const { env } = api({ config: { RATE_LIMIT_FREE_POINTS: 1_000_000_000, PASSWORD_CONCURRENCY: 8 } });
    expect(env).toMatchObject({ RATE_LIMIT_FREE_POINTS: '1000000000', UV_THREADPOOL_SIZE: '12' });
  });
});
