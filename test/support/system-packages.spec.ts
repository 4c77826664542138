import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { getProgram } from './programs.js';
import { installSystemPackage } from './system-packages.js';

describe('a program that the machine does not have', () => {
  const before = { path: process.env['PATH'], allowed: process.env['INSTALL_SYSTEM_PACKAGES'] };
  let folder: string;
  const calls = (): Promise<string> => readFile(join(folder, 'calls'), 'utf8').catch(() => '');

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'system-packages-'));
    // All installations go through `flock`; this replacement only records the command.
    const flock = join(folder, 'flock');
    await writeFile(flock, `#!/bin/sh\nfor argument; do :; done\necho "$argument" >>${folder}/calls\n`);
    await chmod(flock, 0o755);
    process.env['PATH'] = [folder, before.path].join(delimiter);
  });
  afterEach(async () => {
    process.env['PATH'] = before.path;
    if (before.allowed === undefined) delete process.env['INSTALL_SYSTEM_PACKAGES'];
    else process.env['INSTALL_SYSTEM_PACKAGES'] = before.allowed;
    await rm(folder, { recursive: true });
  });

  it.each([undefined, '', 'false', '1'])('is not installed while the switch is %p', async (value) => {
    if (value === undefined) delete process.env['INSTALL_SYSTEM_PACKAGES'];
    else process.env['INSTALL_SYSTEM_PACKAGES'] = value;
    await expect(installSystemPackage('missing-package')).resolves.toBe(false);
    await expect(calls()).resolves.toBe('');
  });

  it('is named by the error, with the package to install and the switch', async () => {
    delete process.env['INSTALL_SYSTEM_PACKAGES'];
    await expect(getProgram('missing-program', 'missing-package')).rejects.toThrow(
      "This test needs missing-program: install it (Debian's package is missing-package), or set " +
        'INSTALL_SYSTEM_PACKAGES=true to let the tests install it (as root on Debian or Ubuntu).',
    );
  });

  it('is installed with the switch, as root on Debian or Ubuntu only', async () => {
    process.env['INSTALL_SYSTEM_PACKAGES'] = 'true';
    const isDebian = /\b(debian|ubuntu)\b/.test(await readFile('/etc/os-release', 'utf8').catch(() => ''));
    const isPossible = isDebian && process.getuid?.() === 0;
    await expect(installSystemPackage('missing-package')).resolves.toBe(isPossible);
    await expect(calls()).resolves.toBe(isPossible ? 'missing-package\n' : '');
  });
});
