import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { npmPostgresBinaries, type PostgresBinaries } from '../../libs/embedded/postgres-binaries.js';
import { installSystemPackage, missingOnThisMachine } from './system-packages.js';

const execute = promisify(execFile);

/** The programs of that version from npm, or from the usual system folders. */
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

/**
 * The programs of that version from npm or this machine. With INSTALL_SYSTEM_PACKAGES=true they are installed if missing.
 * @throws Error that says what to install; a suite is never skipped because a server is missing.
 */
export async function getBinaries(version: number): Promise<PostgresBinaries> {
  const binaries = (await findBinaries(version)) ?? (await installBinaries(version));
  if (binaries === null) throw missingPostgres(version);
  return binaries;
}

export const missingPostgres = (version: number, alternative = ''): Error =>
  missingOnThisMachine(`Postgres ${version}`, `postgresql-${version}`, alternative);

export async function installBinaries(version: number): Promise<PostgresBinaries | null> {
  return (await installSystemPackage(`postgresql-${version}`)) ? findBinaries(version) : null;
}
