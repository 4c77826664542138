import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { helms, parse, render, runTool, variants } from './chart.js';
import { ofKind } from './manifest.js';

/** The oldest version that the chart supports, the version of the cluster tests, and the last three. */
const kubernetesVersions = ['1.30.0', '1.34.0', '1.35.0', '1.36.0', '1.37.0'];
const schemas = process.env.KUBERNETES_SCHEMAS ?? '';

/** Errors that kubeconform finds. It reads all files of a folder, so that each schema is compiled once. */
function problemsOf(files: Readonly<Record<string, string>>, version: string): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'manifests-'));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, `${name}.yaml`), text);
    runTool('kubeconform', [
      ...['-strict', '-output', 'text', '-kubernetes-version', version],
      ...['-schema-location', `${schemas}/v${version}-local-strict/{{.ResourceKind}}{{.KindSuffix}}.json`],
      ...['-schema-location', 'test/helm/crds/{{.ResourceKind}}{{.KindSuffix}}.json'],
      folder,
    ]);
    return [];
  } catch (error) {
    const { stdout } = error as { stdout?: string };
    if (!stdout) throw error;
    return stdout.trim().split('\n');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe.each(kubernetesVersions)('Kubernetes %s', (version) => {
  it('accepts every field with every set of values', () => {
    const files = variants.map(([name, paths]) => [name, render({ files: paths })] as const);
    expect(problemsOf(Object.fromEntries(files), version)).toEqual([]);
  });
});

describe.each(variants)('the chart with values %s', (_name, files) => {
  it('renders the same with Helm 3 and 4, and each time', () => {
    const [three, four] = helms.map((helm) => parse(render({ helm, files })));
    expect(four).toEqual(three);
    expect(render({ files })).toBe(render({ files }));
  });

  it('contains no Secret, because each rendering would change it', () => {
    expect(ofKind(parse(render({ files })), 'Secret')).toEqual([]);
  });

  it.each(helms)('passes the lint of %s', (helm) => {
    const values = files.flatMap((file) => ['--values', `helm/task-api/${file}`]);
    runTool(helm, ['lint', '--strict', '--quiet', '--kube-version', '1.34.0', 'helm/task-api', ...values]);
  });
});

it('the schemas detect an unknown field', () => {
  const budget = render({ args: ['--show-only', 'templates/api-pdb.yaml'] });
  const problems = problemsOf({ budget: budget.replace('maxUnavailable', 'maxUnavailabel') }, '1.37.0');
  expect(problems.join()).toContain('maxUnavailabel');
});

/** Findings of kube-score that are intended: */
const meant = [
  // Scratch volumes have a sizeLimit; nothing else is writable, because the root file system is read-only.
  'container-ephemeral-storage-request-and-limit',
  // An image is named by its version or digest.
  'container-image-pull-policy',
  // Postgres and Redis run as the user of their public images, 999.
  'container-security-context-user-group-id',
  // Redis has one pod and an ordinary Service.
  'statefulset-has-servicename',
  // The operator makes the pods of CloudNativePG.
  'networkpolicy-targets-pod',
];

// These values switch off disruption budgets and policies, so kube-score has many findings.
describe.each(variants.filter(([name]) => name !== 'load-balancer'))(
  'kube-score with values %s',
  (_name, files) => {
    it('finds nothing critical', () => {
      const args = ['--kubernetes-version', 'v1.34', '--output-format', 'ci', '--ignore-container-cpu-limit'];
      const ignored = meant.flatMap((test) => ['--ignore-test', test]);
      const found = runTool('kubeScore', ['score', ...args, ...ignored, '-'], render({ files }));
      expect(found.split('\n').filter((line) => line.startsWith('[CRITICAL]'))).toEqual([]);
      expect(found).toContain('[OK]');
    });
  },
);
