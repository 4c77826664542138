// Prepares what every script needs: installed packages, a Node that is new enough for the code, an up-to-date dist.
// It runs before anything is installed, on any Node from 20, so it uses built-in modules only.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const at = (...parts) => join(root, ...parts);

const NEEDED_MAJOR = 24;
const BUILD_INPUTS = ['apps', 'libs', '.swcrc'];
/** A SIGINT sent to npm alone does not reach the app, unlike one from a terminal. After this time the app gets a SIGTERM. */
const INTERRUPT_GRACE_MS = 1000;

export function ensureInstalled() {
  if (isInstalled()) return;
  console.error('Installing packages (npm ci) …');
  // Explicit, because NODE_ENV=production would omit the compiler, and some npm settings the embedded Postgres.
  const flags = ['--no-audit', '--no-fund', '--loglevel=error', '--include=dev', '--include=optional'];
  const { status } = spawnSync('npm', ['ci', ...flags], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: isWindows,
  });
  if (status !== 0) fail('npm ci failed; its message is above.');
}

/** As its last step, npm writes a lockfile of what it installed into node_modules; it must agree with ours. */
function isInstalled() {
  const installed = readPackages(at('node_modules', '.package-lock.json'));
  if (!installed) return false;
  const wanted = readPackages(at('package-lock.json')) ?? {};
  return Object.entries(wanted).every(([path, { version, integrity, optional, link }]) => {
    if (path === '' || link) return true;
    const found = installed[path];
    return found ? found.version === version && found.integrity === integrity : Boolean(optional);
  });
}

function readPackages(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).packages : undefined;
}

export function ensureBuilt() {
  if (!existsSync(fingerprintFile) || readFileSync(fingerprintFile, 'utf8') !== fingerprint()) build();
}

export function build() {
  const built = fingerprint();
  // Built beside dist: so nothing of a removed source remains, a failed build keeps the old dist, and the paths in the
  // source maps are still right after the move.
  const fresh = at(`dist-${process.pid}`);
  const swc = at('node_modules', '@swc', 'cli', 'bin', 'swc.js');
  const args = [swc, 'apps', 'libs', '-d', fresh, '--quiet'];
  const { status } = spawnSync(nodePath(), args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (status !== 0) {
    rmSync(fresh, { recursive: true, force: true });
    fail('The build failed; its message is above.');
  }
  writeFileSync(join(fresh, '.stamp'), built);
  rmSync(at('dist'), { recursive: true, force: true });
  renameSync(fresh, at('dist'));
}

const fingerprintFile = at('dist', '.stamp');

/** Hashes paths, sizes and times: unlike "newer than", this detects removed, renamed and older files too. */
function fingerprint() {
  const hash = createHash('sha256');
  for (const input of BUILD_INPUTS) addTo(hash, input);
  return hash.digest('hex');
}

function addTo(hash, path) {
  const stats = statSync(at(path), { throwIfNoEntry: false });
  if (!stats) return;
  if (!stats.isDirectory()) hash.update(`${path}\0${stats.size}\0${stats.mtimeMs}\n`);
  else for (const name of readdirSync(at(path)).sort()) addTo(hash, `${path}/${name}`);
}

/**
 * Runs the project's Node with these arguments and exits with its exit code. SIGTERM is passed on. A SIGINT from a
 * terminal reaches the whole process group, so this process only waits.
 */
export function run(args, { env = {} } = {}) {
  const child = spawn(nodePath(), args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  process.once('SIGINT', () => setTimeout(() => child.kill('SIGTERM'), INTERRUPT_GRACE_MS).unref());
  process.on('SIGINT', () => {});
  child.on('error', (error) => fail(`${child.spawnfile} did not start: ${error.message}`));
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}

const isWindows = process.platform === 'win32';
let node;

/** Node 24 is installed as an npm package, so that the system's Node may be older. */
function nodePath() {
  node ??= [at('node_modules', 'node', 'bin', isWindows ? 'node.exe' : 'node'), process.execPath].find(
    isNewEnough,
  );
  const needed = `Node ${NEEDED_MAJOR} or later is needed, and the npm package "node", which brings it, has none`;
  return (
    node ??
    fail(`${needed}: run "npm rebuild node", or start this with a newer Node than ${process.version}.`)
  );
}

function isNewEnough(path) {
  if (!existsSync(path)) return false;
  const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' });
  return Number.parseInt(stdout?.slice(1) ?? '', 10) >= NEEDED_MAJOR;
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
