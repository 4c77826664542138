// npm run test:monitoring -- [--without-cluster] [--figures FILE] [Jest arguments]: runs every query of the dashboards and rules
// on a real Prometheus, and triggers every alert by a real fault. The series of a cluster come from the cluster of the kubeconfig;
// `--without-cluster` skips the tests that need them. `--figures` saves what the overview showed, as JSON.
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { ensureBuilt, ensureInstalled, run } from './bootstrap.mjs';

const args = process.argv.slice(2);
const env = {};

const without = args.indexOf('--without-cluster');
if (without >= 0) {
  args.splice(without, 1);
  env.MONITORING_WITHOUT_CLUSTER = 'true';
} else {
  const isThere = (tool) => spawnSync(tool, ['version'], { stdio: 'ignore', timeout: 30_000 }).status === 0;
  if (!['kubectl', 'helm'].every(isThere)) {
    console.error(
      'This needs kubectl, Helm 3 as `helm` and a kubeconfig that leads to a cluster (KUBECONFIG), or --without-cluster.',
    );
    process.exit(69);
  }
}
const figures = args.indexOf('--figures');
if (figures >= 0) {
  const [, file] = args.splice(figures, 2);
  if (file === undefined) {
    console.error('--figures FILE');
    process.exit(64);
  }
  env.MONITORING_FIGURES = resolve(process.env.INIT_CWD ?? '.', file);
}
ensureInstalled();
ensureBuilt();
run(
  [
    '--experimental-vm-modules',
    'node_modules/jest/bin/jest.js',
    '--config',
    'test/monitoring/jest.config.js',
    ...args,
  ],
  { env },
);
