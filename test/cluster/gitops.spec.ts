import { jest } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { run } from './support/command.js';
import { databases, Namespace } from './support/kube.js';
import { chart, Release } from './support/release.js';

jest.setTimeout(900_000);

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
}

/** YAML as Helm writes it: 0440 is octal. */
const yaml11 = { version: '1.1' } as const;

let namespace: Namespace;

beforeAll(async () => {
  namespace = await Namespace.create('test-gitops');
});
afterAll(() => namespace.remove());

/** What Argo CD does on a sync: it runs the hooks of the first phase by weight, waits for each, then applies everything else. */
async function sync(): Promise<void> {
  const manifests = await render();
  for (const hook of manifests.filter(isPreSync).toSorted((a, b) => weightOf(a) - weightOf(b))) {
    const { kind, metadata } = hook;
    await namespace.kubectl(['delete', kind, metadata.name, '--ignore-not-found', '--wait']);
    await namespace.apply(JSON.stringify(hook));
    if (kind === 'Job')
      await namespace.kubectl(['wait', '--for=condition=Complete', `job/${metadata.name}`, '--timeout=240s']);
  }
  await namespace.apply(await everythingElse());
}

/** All objects except hooks. */
async function everythingElse(): Promise<string> {
  const items = (await render()).filter((each) => hookOf(each) === undefined);
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
}

async function render(): Promise<readonly Manifest[]> {
  const options = ['--namespace', namespace.name, '--kube-version', '1.34'];
  const text = await run('helm', ['template', Release.fullname, chart, ...options]);
  return parseAllDocuments(text, yaml11)
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest !== null);
}

const hookOf = ({ metadata }: Manifest) =>
  metadata.annotations?.['argocd.argoproj.io/hook'] ?? metadata.annotations?.['helm.sh/hook'];
const isPreSync = (manifest: Manifest) => hookOf(manifest) === 'PreSync';
const weightOf = ({ metadata }: Manifest) => Number(metadata.annotations?.['helm.sh/hook-weight'] ?? 0);

it('can be applied twice as rendered text, and the second time changes nothing', async () => {
  await sync();
  await namespace.rolledOut(`deployment/${Release.fullname}-api`);
  await namespace.waitFor(
    'two pods of the API',
    async () => (await namespace.get('deployment', `${Release.fullname}-api`)).status.readyReplicas === 2,
  );
  const before = {
    secrets: await namespace.secrets(),
    lives: await namespace.lives(...databases, 'redis', 'api'),
  };
  expect(Object.keys(before.secrets)).toEqual([
    `${Release.fullname}-credentials`,
    `${Release.fullname}-jwt-keys`,
  ]);
  // Asks the server for the result, because `apply` reports some unchanged objects as "configured".
  expect(await namespace.kubectl(['diff', '--filename', '-'], { input: await everythingElse() })).toBe('');
  await sync();
  expect({
    secrets: await namespace.secrets(),
    lives: await namespace.lives(...databases, 'redis', 'api'),
  }).toEqual(before);
});
