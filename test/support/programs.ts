import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { installSystemPackage, missingOnThisMachine } from './system-packages.js';

/** Folders in which systems install servers; a user's PATH often lacks the `sbin` folders. */
const folders = [
  ...(process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== ''),
  ...[
    '/usr/bin',
    '/usr/sbin',
    '/usr/local/bin',
    '/usr/local/sbin',
    '/opt/homebrew/bin',
    '/opt/homebrew/sbin',
  ],
];

/**
 * The path of a program of this machine. With INSTALL_SYSTEM_PACKAGES=true it is installed if missing.
 * @throws Error that says what to install; a suite is never skipped because a program is missing.
 */
export async function getProgram(name: string, debianPackage = name): Promise<string> {
  const found = await findProgram(name);
  if (found !== null) return found;
  const installed = (await installSystemPackage(debianPackage)) ? await findProgram(name) : null;
  if (installed !== null) return installed;
  throw missingOnThisMachine(name, debianPackage);
}

async function findProgram(name: string): Promise<string | null> {
  for (const folder of folders) {
    const path = join(folder, name);
    const isThere = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  return null;
}
