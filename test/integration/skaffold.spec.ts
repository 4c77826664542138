import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { apiVariables } from '../../apps/api/config.js';
import { root } from '../compose/compose-file.js';
import { complaintsOf } from '../compose/published-schema.js';

interface Skaffold {
  readonly build: { readonly artifacts: readonly { readonly docker: { readonly dockerfile: string } }[] };
  readonly deploy: { readonly helm: { readonly releases: readonly Release[] } };
  readonly profiles: readonly { readonly name: string; readonly patches: readonly Patch[] }[];
}
interface Release {
  readonly chartPath: string;
  readonly valuesFiles?: readonly string[];
  readonly setValueTemplates: Readonly<Record<string, string>>;
  readonly overrides?: { readonly config?: Readonly<Record<string, string>> };
}
interface Patch {
  readonly op: string;
  readonly path: string;
  readonly value: unknown;
}

const read = async () => parse(await readFile(join(root, 'skaffold.yaml'), 'utf8')) as Skaffold;

/** The file as it is under that profile. */
async function readWith(profile: string): Promise<Skaffold> {
  const file = await read();
  for (const { op, path, value } of file.profiles.find(({ name }) => name === profile)?.patches ?? []) {
    const names = path.split('/').slice(1);
    const last = names.pop() ?? '';
    const holder = names.reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], file);
    expect([op, path, holder]).toEqual(['add', path, expect.any(Object)]);
    (holder as Record<string, unknown>)[last] = value;
  }
  return file;
}

describe('skaffold.yaml', () => {
  it('is valid according to the published schema, which detects a mistake', async () => {
    const file = await read();
    expect(await complaintsOf('skaffold-v4beta13', file)).toEqual([]);
    expect(await complaintsOf('skaffold-v4beta13', { ...file, biuld: {} })).not.toEqual([]);
  });

  it('has the profiles that the documentation names', async () => {
    const { profiles } = await read();
    expect(profiles.map(({ name }) => name)).toEqual(['dev', 'debug', 'eks', 'gke', 'aks']);
  });

  it.each(['', 'dev', 'debug', 'eks', 'gke', 'aks'])(
    'is valid and names files that exist with the profile "%s"',
    async (profile) => {
      const file = await readWith(profile);
      expect(await complaintsOf('skaffold-v4beta13', file)).toEqual([]);
      const [release] = file.deploy.helm.releases;
      const files = [
        ...file.build.artifacts.map(({ docker }) => docker.dockerfile),
        join(release?.chartPath ?? '', 'Chart.yaml'),
        ...(release?.valuesFiles ?? []),
      ];
      // One is set by the user.
      for (const each of files.filter((path) => path !== '{{.TASK_API_VALUES}}'))
        await access(join(root, each));
    },
  );

  it('passes the built image to values that the chart has, and variables that the API knows', async () => {
    const { image } = parse(await readFile(join(root, 'helm/task-api/values.yaml'), 'utf8')) as {
      readonly image: Readonly<Record<string, unknown>>;
    };
    const [release] = (await readWith('debug')).deploy.helm.releases;
    const names = Object.keys(release?.setValueTemplates ?? {});
    expect(names).toHaveLength(3);
    for (const name of names) expect(Object.keys(image)).toContain(name.replace('image.', ''));
    for (const name of Object.keys(release?.overrides?.config ?? {}))
      expect(apiVariables).toHaveProperty(name);
  });
});
