// npm run test:cluster [-- Jest arguments]: runs the scenarios of test/cluster on the cluster of the kubeconfig. Services must
// be reachable from here by their cluster addresses, and the nodes must have access to the chart's images.
import { spawnSync } from 'node:child_process';
import { ensureInstalled, run } from './bootstrap.mjs';

const tools = [
  { name: 'kubectl', args: ['version'], else: 'a kubeconfig that leads to a cluster (KUBECONFIG)' },
  { name: 'helm', args: ['version'], else: 'Helm 3, as `helm`' },
  { name: 'helm4', args: ['version'], else: 'Helm 4, as `helm4`' },
  { name: 'k6', args: ['version'], else: 'k6' },
];

const missing = tools.filter(
  ({ name, args }) => spawnSync(name, args, { stdio: 'ignore', timeout: 30_000 }).status !== 0,
);
if (missing.length > 0) {
  console.error(`These tests need ${missing.map((tool) => tool.else).join(', ')}.`);
  process.exit(69);
}
ensureInstalled();
run([
  '--experimental-vm-modules',
  'node_modules/jest/bin/jest.js',
  '--config',
  'test/cluster/jest.config.js',
  ...process.argv.slice(2),
]);
