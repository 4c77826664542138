import { execFile } from 'node:child_process';
import { access, mkdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import {
  npmPostgresBinaries,
  type PostgresBinaries,
} from '../../libs/platform/database/postgres-binaries.js';

const execute = promisify(execFile);

/** The programs of that version from npm, or from where systems install them. */
export async function findBinaries(version: number): Promise<PostgresBinaries | null> {
  const npm = await npmPostgresBinaries().catch(() => null);
  if (npm !== null && (await versionOf(npm)) === version) return npm;
  for (const folder of await foldersFor(version)) {
    const binaries = binariesIn(folder);
    if ((await versionOf(binaries)) === version && (await isWhole(binaries))) return binaries;
  }
  return null;
}

async function foldersFor(version: number): Promise<readonly string[]> {
  const known = [
    `/usr/lib/postgresql/${version}/bin`,
    `/usr/pgsql-${version}/bin`,
    `/usr/libexec/postgresql${version}`,
    `/opt/homebrew/opt/postgresql@${version}/bin`,
    `/usr/local/opt/postgresql@${version}/bin`,
  ];
  const configured = await execute('pg_config', ['--bindir'], { timeout: 10_000 }).catch(() => null);
  const path = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return [...known, ...(configured === null ? [] : [configured.stdout.trim()]), ...path];
}

function binariesIn(folder: string): PostgresBinaries {
  return {
    initdb: join(folder, 'initdb'),
    pgCtl: join(folder, 'pg_ctl'),
    postgres: join(folder, 'postgres'),
  };
}

async function versionOf(binaries: PostgresBinaries): Promise<number | null> {
  const printed = await execute(binaries.postgres, ['--version'], { timeout: 10_000 }).catch(() => null);
  return printed === null ? null : Number(/\) (\d+)/.exec(printed.stdout)?.[1]);
}

async function isWhole(binaries: PostgresBinaries): Promise<boolean> {
  return Promise.all([access(binaries.initdb), access(binaries.pgCtl)]).then(
    () => true,
    () => false,
  );
}

/** Installs the version from the system's own packages: as root on Debian and Ubuntu only, and without a service. */
export async function installByApt(version: number): Promise<PostgresBinaries | null> {
  if (process.getuid?.() !== 0 || !(await isDebian())) return null;
  try {
    await mkdir('/etc/postgresql-common/createcluster.d', { recursive: true });
    await writeFile(
      '/etc/postgresql-common/createcluster.d/no-main-cluster.conf',
      'create_main_cluster = false\n',
    );
    await apt(['update'], 120_000);
    await apt(['install', '-y', '--no-install-recommends', `postgresql-${version}`], 300_000);
  } catch (error) {
    process.stderr.write(`apt-get could not install postgresql-${version}: ${String(error)}\n`);
    return null;
  }
  return findBinaries(version);
}

async function apt(args: readonly string[], timeout: number): Promise<void> {
  const options = ['-q', '-o', 'DPkg::Lock::Timeout=60', '-o', 'Acquire::Retries=2'];
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await execute('apt-get', [...options, ...args], { timeout, env, maxBuffer: 64 * 1024 * 1024 });
}

async function isDebian(): Promise<boolean> {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(release);
}
