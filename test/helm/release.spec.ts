import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { chart, helms, manifests, parse, refusal, render, runTool, variants } from './chart.js';
import { ofKind, podsOf, theOne } from './manifest.js';

describe.each(variants)('a release with values %s', (_name, files) => {
  const all = manifests({ files });

  it('sets no replica count where an autoscaler sets it', () => {
    const scaled = [...ofKind(all, 'HorizontalPodAutoscaler'), ...ofKind(all, 'ScaledObject')].map(
      ({ spec }) => spec?.scaleTargetRef?.name,
    );
    for (const { metadata, spec } of ofKind(all, 'Deployment'))
      if (metadata.name.endsWith('-api'))
        expect([scaled.includes(metadata.name), spec?.replicas !== undefined]).toEqual(
          scaled.includes(metadata.name) ? [true, false] : [false, true],
        );
  });

  it('gives every object a name, and labels that identify its release', () => {
    for (const { kind, metadata } of all) {
      expect([kind, metadata.name.length]).toEqual([kind, expect.any(Number)]);
      expect(metadata.name.length).toBeLessThanOrEqual(63);
      expect([metadata.name, metadata.labels]).toEqual([
        metadata.name,
        expect.objectContaining({
          'app.kubernetes.io/name': expect.any(String),
          'app.kubernetes.io/instance': 'tasks',
          'app.kubernetes.io/part-of': 'task-api',
        }),
      ]);
    }
  });

  it('selects pods by labels that no other component has', () => {
    const pods = podsOf(all);
    for (const { metadata, spec } of all.filter(({ kind }) => ['Deployment', 'StatefulSet'].includes(kind))) {
      const selected = pods.filter(({ labels }) =>
        Object.entries(spec?.selector?.matchLabels ?? {}).every(([name, value]) => labels[name] === value),
      );
      expect([metadata.name, selected.length]).toEqual([metadata.name, 1]);
    }
  });
});

describe('a long name', () => {
  it('of 35 characters leaves room for the suffixes of Kubernetes', () => {
    const set = { fullnameOverride: 'tasks-of-a-department-in-the-cellar' };
    const all = manifests({ set, files: ['ci/monitored-values.yaml'] });
    // A label of at most 63 characters holds the StatefulSet's name and a hash of ten characters.
    for (const { metadata } of ofKind(all, 'StatefulSet'))
      expect(metadata.name.length).toBeLessThanOrEqual(52);
    // The names of a CronJob's Jobs end with eleven more characters.
    for (const { metadata } of ofKind(all, 'CronJob')) expect(metadata.name.length).toBeLessThanOrEqual(52);
    for (const { metadata } of all) {
      expect(metadata.name.length).toBeLessThanOrEqual(63);
      expect(metadata.name).not.toMatch(/-$|--/);
    }
  });

  it.each([
    { fullnameOverride: `${'a'.repeat(34)}-a` },
    { fullnameOverride: 'tasks-of-a-department-with-a-name-that-is-long' },
    { nameOverride: 'b'.repeat(40) },
  ])(
    'of %j is refused, and both names to choose from are told: that of before, and one with a hash',
    (set) => {
      const output = refusal({ set });
      const [, fresh = '', before = ''] = /for example to (\S+); .* to (\S+), as its/.exec(output) ?? [];
      expect(fresh).toMatch(/^[a-z-]{20,26}-[0-9a-f]{8}$/);
      for (const name of [fresh, before])
        expect(manifests({ set: { fullnameOverride: name } }).length).toBeGreaterThan(0);
      const wanted = set.fullnameOverride ?? `tasks-${set.nameOverride}`;
      expect(before).toBe(wanted.slice(0, 35).replace(/-$/, ''));
    },
  );

  it('is different for two releases that begin alike', () => {
    const hashed = (fullnameOverride: string) =>
      /for example to (\S+);/.exec(refusal({ set: { fullnameOverride } }))?.[1];
    const place = 'platform-production-europe-west1-aa';
    expect(hashed(`${place}-tasks`)).not.toBe(hashed(`${place}-notes`));
  });
});

describe('the migration Job', () => {
  const nameOf = (set: Record<string, unknown> = {}, args: string[] = []) =>
    ofKind(manifests({ set, args }), 'Job').find(({ metadata }) => metadata.name.includes('-migrate-'))
      ?.metadata.name;

  it('is a new Job for a new image, and the same Job for the same image', () => {
    expect(nameOf()).toMatch(/^tasks-task-api-migrate-[0-9a-f]{10}$/);
    expect(nameOf({ 'image.tag': '0.2.0' })).not.toBe(nameOf());
    expect(nameOf({ 'api.replicas': 7, config: { RATE_LIMIT_FREE_POINTS: 5 } })).toBe(nameOf());
  });
});

describe('Postgres', () => {
  it('has pods and claims that do not change with the version of the app', () => {
    const sets = (set: Record<string, unknown>, path = chart) =>
      ofKind(manifests({ set, path }), 'StatefulSet').map(({ spec }) => [
        spec?.template,
        spec?.volumeClaimTemplates,
      ]);
    expect(sets({ 'image.tag': '9.9.9', commonLabels: { team: 'a' } })).toEqual(sets({}));
    const folder = mkdtempSync(join(tmpdir(), 'next-'));
    try {
      cpSync(chart, folder, { recursive: true });
      const metadata = readFileSync(join(folder, 'Chart.yaml'), 'utf8');
      writeFileSync(
        join(folder, 'Chart.yaml'),
        metadata.replaceAll(/^(v|appV)ersion: .*$/gm, '$1ersion: 9.9.9'),
      );
      expect(render({ path: folder })).toContain('task-api:9.9.9');
      expect(sets({}, folder)).toEqual(sets({}));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

it('an unready pod of a StatefulSet blocks no update', () => {
  for (const { metadata, spec } of ofKind(manifests(), 'StatefulSet'))
    expect([metadata.name, spec?.podManagementPolicy]).toEqual([metadata.name, 'Parallel']);
});

it('the readiness probe of Redis uses the password of its start, not the current one of the Secret', () => {
  const [container] = theOne(manifests(), 'StatefulSet', '-redis').spec?.template?.spec.containers ?? [];
  const probe = JSON.stringify(container?.readinessProbe);
  expect(probe).toContain('NOAUTH');
  expect(probe).not.toContain('redis-password');
});

describe('as a subchart', () => {
  it.each(helms)('it takes its values from the parent chart, with %s', (helm) => {
    const folder = mkdtempSync(join(tmpdir(), 'umbrella-'));
    try {
      mkdirSync(join(folder, 'charts'));
      cpSync(chart, join(folder, 'charts', 'task-api'), { recursive: true });
      writeFileSync(
        join(folder, 'Chart.yaml'),
        'apiVersion: v2\nname: umbrella\nversion: 1.0.0\ndependencies:\n' +
          '  - { name: task-api, version: 0.x.x, condition: task-api.enabled }\n',
      );
      writeFileSync(
        join(folder, 'values.yaml'),
        'global: { imageRegistry: registry.example.com, storageClass: fast }\n' +
          'task-api: { enabled: true, api: { autoscaling: { enabled: false }, replicas: 4 } }\n',
      );
      const all = parse(render({ helm, path: folder }));
      expect(theOne(all, 'Deployment', 'tasks-task-api-api').spec?.replicas).toBe(4);
      for (const { spec } of podsOf(all))
        for (const { image } of spec.containers) expect(image).toMatch(/^registry\.example\.com\//);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('monitoring', () => {
  const kinds = (args: string[], set: Record<string, unknown> = {}) =>
    new Set(manifests({ args, set }).map(({ kind }) => kind));

  it('is omitted if the cluster does not know its kinds, and included if it does or the values say so', () => {
    const known = ['ServiceMonitor', 'PrometheusRule'].flatMap((kind) => [
      '--api-versions',
      `monitoring.coreos.com/v1/${kind}`,
    ]);
    expect(kinds([])).not.toContain('ServiceMonitor');
    expect(kinds(known)).toContain('ServiceMonitor');
    expect(kinds(known)).toContain('PrometheusRule');
    expect(kinds([], { 'monitoring.serviceMonitor.enabled': true })).toContain('ServiceMonitor');
    expect(kinds(known, { 'monitoring.serviceMonitor.enabled': false })).not.toContain('ServiceMonitor');
  });
});

it.each(['postgres', 'redis'])(
  'the exporter of an external %s verifies it with the same authority',
  (store) => {
    const set = { [`monitoring.${store}Exporter.enabled`]: true };
    const all = manifests({ set, files: ['ci/external-values.yaml'] });
    const spec = theOne(all, 'Deployment', `-${store}-exporter`).spec?.template?.spec;
    expect(spec?.volumes).toContainEqual({ name: `${store}-ca`, secret: { secretName: `${store}-ca` } });
    expect(JSON.stringify(spec?.containers)).toContain(`"mountPath":"/etc/task-api/${store}-ca"`);
  },
);

it('is small enough to be packaged, and contains no test files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'package-'));
  try {
    for (const helm of helms) {
      runTool(helm, ['package', chart, '--destination', folder]);
      const [archive = ''] = readdirSync(folder);
      const shown = runTool(helm, ['show', 'all', join(folder, archive)]);
      expect(shown).not.toContain('preset-');
      rmSync(join(folder, archive));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
