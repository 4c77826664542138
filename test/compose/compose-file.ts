import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';

export const root = join(import.meta.dirname, '..', '..');

export interface ComposeFile {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
  readonly networks: Readonly<Record<string, unknown>>;
}

/** The parts of a service that the tests use. */
export interface Service {
  readonly image: string;
  readonly user?: string;
  readonly restart: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly cap_add?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly (string | VolumeMount)[];
  readonly networks?: readonly string[] | Readonly<Record<string, { readonly ipv4_address?: string } | null>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: unknown;
  readonly stop_grace_period?: string;
  readonly deploy?: { readonly resources: { readonly limits: Readonly<Record<string, unknown>> } };
}
interface VolumeMount {
  readonly type: string;
  readonly source: string;
  readonly target: string;
}

/** compose.yaml as Compose reads it with no variable set: `${NAME:-default}` is replaced by the default. */
export async function readComposeFile(): Promise<ComposeFile> {
  const text = await readFile(join(root, 'compose.yaml'), 'utf8');
  const withDefaults = text.replaceAll(
    /\$(\$|\{\w+:-([^}]*)\})?/g,
    (found, rest?: string, value?: string) => {
      if (rest === undefined) throw new Error(`compose.yaml has a ${found} without a default.`);
      return rest === '$' ? '$' : (value ?? '');
    },
  );
  return parse(withDefaults, { merge: true }) as ComposeFile;
}

/** Source and target of a service's mounts. */
export function mountsOf({
  volumes = [],
}: Service): readonly { readonly source: string; readonly target: string }[] {
  return volumes.map((each) => {
    if (typeof each !== 'string') return each;
    const [source = '', target = ''] = each.split(':');
    return { source, target };
  });
}
