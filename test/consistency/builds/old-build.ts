import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Build } from './build.js';

const execute = promisify(execFile);
const ownRoot = join(import.meta.dirname, '..', '..', '..');

/**
 * The version that a deployment updates from: the newest release (a tag such as `v0.2.0`) before this commit, or without
 * releases the commit in the file `previous`.
 */
export async function previousRef(): Promise<string> {
  // A release that is compared with itself would prove nothing, so the search begins at the parent.
  const release = ['describe', '--tags', '--abbrev=0', '--first-parent', '--match', 'v[0-9]*', 'HEAD^'];
  const recorded = (): Promise<string> => readFile(join(import.meta.dirname, 'previous'), 'utf8');
  return (await git(...release).catch(recorded)).trim();
}

/**
 * Builds the sources of that commit in `.cache/builds`, unless they are there already.
 * @throws Error if this clone does not contain the commit
 */
export async function prepareOldBuild(ref: string): Promise<Build> {
  const commit = await commitOf(ref);
  const sharesPackages = await hasSamePackages(commit);
  // The packages of this checkout may change later, and a build that shares them would change, too.
  const name = sharesPackages ? commit : `${commit}-with-packages`;
  const root = join(ownRoot, '.cache', 'builds', name);
  if (!existsSync(root)) await make(commit, root, sharesPackages);
  return { name: 'old', root };
}

async function commitOf(ref: string): Promise<string> {
  try {
    return (await git('rev-parse', '--verify', '--quiet', `${ref}^{commit}`)).trim();
  } catch (cause) {
    const remedy = 'fetch the whole history (git fetch --unshallow --tags), or name another commit';
    throw new Error(`The old build is made from ${ref}, which this clone does not contain: ${remedy}.`, {
      cause,
    });
  }
}

async function hasSamePackages(commit: string): Promise<boolean> {
  const own = await readFile(join(ownRoot, 'package-lock.json'), 'utf8');
  return packagesIn(await git('show', `${commit}:package-lock.json`)) === packagesIn(own);
}

/** All packages except this project itself, whose version changes with each release. */
function packagesIn(lockfile: string): string {
  const { packages } = JSON.parse(lockfile) as { readonly packages: Readonly<Record<string, unknown>> };
  return JSON.stringify(Object.entries(packages).filter(([path]) => path !== ''));
}

/** Builds in another folder, so that an interrupted build is never used, and runs at the same time do not meet. */
async function make(commit: string, root: string, sharesPackages: boolean): Promise<void> {
  const draft = `${root}-${process.pid}`;
  const archive = `${draft}.tar`;
  await mkdir(draft, { recursive: true });
  try {
    await git('archive', '--output', archive, commit);
    await execute('tar', ['-xf', archive, '-C', draft]);
    if (sharesPackages) await symlink(join(ownRoot, 'node_modules'), join(draft, 'node_modules'));
    await build(draft, sharesPackages);
    await rename(draft, root).catch((error: unknown) => {
      if (!existsSync(root)) throw error;
    });
  } finally {
    await rm(archive, { force: true });
    await rm(draft, { recursive: true, force: true });
  }
}

/** With the build script of those sources. Packages that are shared must not be installed again: that would remove them first. */
async function build(root: string, sharesPackages: boolean): Promise<void> {
  const install = sharesPackages ? '' : 'ensureInstalled();';
  const program = `import { build, ensureInstalled } from './scripts/bootstrap.mjs'; ${install} build();`;
  await execute(process.execPath, ['--input-type=module', '--eval', program], { cwd: root });
}

async function git(...args: readonly string[]): Promise<string> {
  const { stdout } = await execute('git', args, { cwd: ownRoot, maxBuffer: 64 * 1024 * 1024 });
  return stdout;
}
