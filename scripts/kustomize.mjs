// npm run k8s [-- --check]: generates k8s/base and k8s/components from the chart, so that both ways to install are equal. The base
// is the API with its Jobs. Each part that the chart's values switch on is a component: the objects that it adds, and a patch of what
// it changes. Its changes of Postgres or Redis are in a separate component, for installations that use these.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureInstalled } from './bootstrap.mjs';

ensureInstalled();
const { parse, parseAllDocuments, stringify } = await import('yaml');

const root = fileURLToPath(new URL('..', import.meta.url));
const chart = join(root, 'helm', 'task-api');
const folder = join(root, 'k8s');
/** YAML as Helm and kustomize write and read it: 0440 is octal, and `on` is a boolean. */
const yaml11 = { version: '1.1' };
const limits = { encoding: 'utf8', timeout: 60_000, maxBuffer: 64 * 1024 * 1024 };

const host = 'tasks.example.com';
const publicUrl = `https://${host}`;
const ingress = { publicUrl, ingress: { enabled: true, hosts: [host] } };
const httpRoute = {
  publicUrl,
  httpRoute: { enabled: true, parentRefs: [{ name: 'gateway' }], hostnames: [host] },
};
/** A preset and the values that it requires. */
const preset = (name, asked = {}) =>
  merge(parse(readFileSync(join(chart, `values-${name}.yaml`), 'utf8')), asked);
/** Kinds that the chart would otherwise look up in the cluster. */
const monitoring = (enabled) => ({
  serviceMonitor: { enabled },
  prometheusRule: { enabled },
  dashboards: { enabled },
});

/** By folder: the values that generate it. The objects of the base's values are split by their component label. */
const parts = { postgres: /^postgres/, redis: /^redis$/, secrets: /^secrets$/ };
const base = { publicUrl: 'http://task-api', monitoring: monitoring('false') };
const components = {
  small: preset('small'),
  large: preset('large'),
  eks: preset('eks', ingress),
  gke: preset('gke', httpRoute),
  aks: preset('aks', httpRoute),
  ingress,
  'http-route': httpRoute,
  monitoring: { monitoring: monitoring('true') },
  backup: { backup: { enabled: true } },
  cloudnativepg: { postgres: { mode: 'cloudnativepg' } },
  'external-stores': {
    postgres: {
      mode: 'external',
      external: { existingSecret: 'task-api-postgres', replicaUrlsKey: 'DATABASE_REPLICA_URLS' },
    },
    redis: { mode: 'external', external: { existingSecret: 'task-api-redis' } },
  },
};

/** The chart's objects for these values, in kustomize's form, by kind and name. */
function render(values) {
  const { status, stdout, stderr } = spawnSync(
    'helm',
    ['template', 'task-api', chart, '--namespace', 'task-api', '--kube-version', '1.34', '--values', '-'],
    { input: JSON.stringify(values), ...limits },
  );
  if (status !== 0) throw new Error(stderr || 'Helm 3 is needed, as `helm`.');
  return new Map(objectsOf(stdout).map((object) => [keyOf(object), object]));
}

const objectsOf = (text) =>
  parseAllDocuments(text, yaml11)
    .map((document) => document.toJS())
    .filter((object) => object !== null && !isForHelm(object.metadata))
    .map(plain);

/** The pods of `helm test`, and the Job that only binds a claim for `helm --wait`. */
const isForHelm = ({ name, labels }) =>
  labels?.['app.kubernetes.io/component'] === 'test' || /-backup-volume-[0-9a-f]+$/.test(name);

const keyOf = ({ kind, metadata }) => `${kind} ${metadata.name}`;

/** Removes what is specific to Helm: its labels and hooks, the namespace, and the content hash in the name of a Job. */
function plain(object) {
  const isRule = object.kind === 'PrometheusRule';
  const { metadata, subjects, ...rest } = JSON.parse(JSON.stringify(object), (name, value) => {
    if (name.startsWith('helm.sh/') || name === 'app.kubernetes.io/managed-by') return undefined;
    // The overlay sets the namespace; the label distinguishes the alerts.
    return isRule && name === 'expr' ? value.replaceAll('namespace="task-api",', '') : value;
  });
  const { namespace: _namespace, annotations = {}, ...others } = metadata;
  return {
    ...rest,
    // Where kustomize finds no namespace, it sets the overlay's.
    ...(subjects && { subjects: subjects.map(({ namespace: _theirs, ...subject }) => subject) }),
    metadata: {
      ...others,
      name: metadata.name.replace(/-migrate-[0-9a-f]{10}$/, '-migrate'),
      ...(Object.keys(annotations).length > 0 && { annotations }),
    },
  };
}

/** Deep merge, as Helm merges values: lists are replaced. */
function merge(one, other) {
  if (!isMap(one) || !isMap(other)) return other;
  const merged = { ...one };
  for (const [key, value] of Object.entries(other)) merged[key] = key in one ? merge(one[key], value) : value;
  return merged;
}

function isMap(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The strategic merge patch that turns `from` into `to`; undefined if they are equal. */
function patchOf(from, to, path = []) {
  if (isMap(from) && isMap(to)) {
    const changes = [...new Set([...Object.keys(from), ...Object.keys(to)])].flatMap((key) => {
      const change = key in to ? patchOf(from[key], to[key], [...path, key]) : null;
      return change === undefined ? [] : [[key, change]];
    });
    return changes.length === 0 ? undefined : Object.fromEntries(changes);
  }
  const mergeKey = Array.isArray(from) && Array.isArray(to) ? mergeKeys[path.at(-1)] : undefined;
  if (mergeKey !== undefined) return listPatchOf(from, to, mergeKey, path);
  return JSON.stringify(from) === JSON.stringify(to) ? undefined : to;
}

/** Lists that Kubernetes merges, and the key that identifies their items. */
const mergeKeys = {
  containers: 'name',
  initContainers: 'name',
  env: 'name',
  volumes: 'name',
  volumeMounts: 'mountPath',
};

function listPatchOf(from, to, key, path) {
  const old = new Map(from.map((item) => [item[key], item]));
  const changes = to.flatMap((item) => {
    const change = old.has(item[key]) ? patchOf(old.get(item[key]), item, [...path, item[key]]) : item;
    return change === undefined ? [] : [{ [key]: item[key], ...change }];
  });
  const kept = new Set(to.map((item) => item[key]));
  const gone = from.filter((item) => !kept.has(item[key]));
  const all = [...changes, ...gone.map((item) => ({ $patch: 'delete', [key]: item[key] }))];
  return all.length === 0 ? undefined : all;
}

/** Which objects are new in the others, and which of all objects are missing or different there. */
function difference(all, others) {
  const changes = [...all.values()].flatMap((object) => {
    const other = others.get(keyOf(object));
    if (other === undefined) return [{ object, isGone: true }];
    const patch = patchOf(object, other);
    return patch === undefined ? [] : [{ object, isGone: false, patch }];
  });
  return { added: [...others.values()].filter((object) => !all.has(keyOf(object))), changes };
}

const patchesOf = (changes) =>
  changes.map(({ object, isGone, patch }) =>
    isGone ? { $patch: 'delete', ...headOf(object) } : merge(headOf(object), patch),
  );

function headOf({ apiVersion, kind, metadata: { name } }) {
  return { apiVersion, kind, metadata: { name } };
}

/** Folder → file → content. */
function generate() {
  const files = new Map();
  const put = (folder, kind, resources, patches = []) => {
    const names = resources.map(fileOf);
    resources.forEach((object, n) => files.set(`${folder}/${names[n]}`, stringify(object, style)));
    // One file each: kustomize 5.5 panics at two deletions in one file.
    const patchNames = patches.map((patch) => `patch-${fileOf(patch)}`);
    patches.forEach((patch, n) => files.set(`${folder}/${patchNames[n]}`, stringify(patch, style)));
    const kustomization = {
      apiVersion: `kustomize.config.k8s.io/${kind === 'Component' ? 'v1alpha1' : 'v1beta1'}`,
      kind,
      ...(names.length > 0 && { resources: names }),
      ...(patches.length > 0 && { patches: patchNames.map((path) => ({ path })) }),
    };
    files.set(`${folder}/kustomization.yaml`, stringify(kustomization, style));
  };

  const all = render(base);
  const partOf = ({ metadata: { labels } }) =>
    Object.keys(parts).find((part) => parts[part].test(labels?.['app.kubernetes.io/component'] ?? ''));
  put(
    'base',
    'Kustomization',
    [...all.values()].filter((object) => partOf(object) === undefined),
  );
  for (const part of Object.keys(parts))
    put(
      `components/${part}`,
      'Component',
      [...all.values()].filter((object) => partOf(object) === part),
    );

  for (const [name, values] of Object.entries(components)) {
    const { added, changes } = difference(all, render(merge(base, values)));
    const changesOf = (part) => changes.filter(({ object }) => partOf(object) === part);
    put(`components/${name}`, 'Component', added, patchesOf(changesOf(undefined)));
    for (const part of Object.keys(parts)) {
      const inPart = changesOf(part);
      const size = [...all.values()].filter((object) => partOf(object) === part).length;
      // An overlay leaves out a whole part by leaving out its component.
      if (inPart.length > 0 && inPart.filter(({ isGone }) => isGone).length < size)
        put(`components/${name}-${part}`, 'Component', [], patchesOf(inPart));
    }
  }
  return files;
}

const style = { ...yaml11, lineWidth: 0, singleQuote: true };
const fileOf = ({ kind, metadata: { name } }) =>
  `${name.replace(/^task-api-?/, '') || 'api'}-${kind.toLowerCase()}.yaml`;

/** Each overlay and the preset that its values belong to. */
const overlays = { dev: 'small', staging: undefined, production: 'large' };

/** Differences between an overlay's objects and those of the chart with the overlay's values, in both directions. */
function differencesOf(overlay, presetName) {
  const path = join(folder, 'overlays', overlay);
  const own = parse(readFileSync(join(path, 'values.yaml'), 'utf8'));
  const wanted = render(merge(base, presetName === undefined ? own : preset(presetName, own)));
  const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', path], limits);
  if (status !== 0) throw new Error(stderr || 'kubectl is needed.');
  const found = new Map(objectsOf(stdout).map((object) => [keyOf(object), object]));
  return [...new Set([...wanted.keys(), ...found.keys()])].filter(
    (key) => canonical(wanted.get(key)) !== canonical(found.get(key)),
  );
}

/** Ignores the order of members and of variables, and the namespace, which an overlay may set. */
function canonical(object) {
  return JSON.stringify(object, (key, value) => {
    if (key === 'namespace' && value !== 'kube-system') return undefined;
    if (key === 'env') return value.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    return isMap(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value;
  });
}

function staleFiles(wanted) {
  const found = ['base', 'components'].flatMap((name) =>
    existsSync(join(folder, name))
      ? readdirSync(join(folder, name), { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
      : [],
  );
  return [...new Set([...found, ...wanted.keys()])].filter((file) => {
    const path = join(folder, file);
    return !wanted.has(file) || !existsSync(path) || readFileSync(path, 'utf8') !== wanted.get(file);
  });
}

function check(wanted) {
  const stale = staleFiles(wanted);
  if (stale.length > 0) complain(`Not as the chart has it: ${stale.join(', ')}. Run \`npm run k8s\`.`);
  for (const [overlay, presetName] of Object.entries(overlays)) {
    const differences = differencesOf(overlay, presetName);
    if (differences.length > 0)
      complain(`The overlay ${overlay} is not what the chart gives by its values: ${differences.join(', ')}`);
  }
}

function complain(sentence) {
  console.error(sentence);
  process.exitCode = 1;
}

function write(wanted) {
  for (const name of ['base', 'components']) rmSync(join(folder, name), { recursive: true, force: true });
  for (const [file, content] of wanted) {
    mkdirSync(join(folder, file, '..'), { recursive: true });
    writeFileSync(join(folder, file), content);
  }
}

if (process.argv.includes('--check')) check(generate());
else write(generate());
