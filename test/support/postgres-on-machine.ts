import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { npmPostgresBinaries, type PostgresBinaries } from '../../libs/embedded/postgres-binaries.js';
import { installByApt } from './apt.js';

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

/** The version from npm or the machine, else, on Debian as root, from the system's own packages. */
export async function findOrInstallBinaries(version: number): Promise<PostgresBinaries | null> {
  return (await findBinaries(version)) ?? (await installBinaries(version));
}

export async function installBinaries(version: number): Promise<PostgresBinaries | null> {
  return (await installByApt(`postgresql-${version}`)) ? findBinaries(version) : null;
}
