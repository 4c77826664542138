import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/**
 * Prevents the start of services with Debian's switch for that (policy-rc.d), unless the machine already has one, as
 * images do. The Postgres packages would otherwise create a cluster.
 */
const script = `
  mkdir -p /etc/postgresql-common/createcluster.d &&
    echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.d/no-main-cluster.conf
  policy=/usr/sbin/policy-rc.d
  if test ! -e "$policy"; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\\nexit 101\\n' >"$policy" && chmod +x "$policy"
  fi
  options='-q -o DPkg::Lock::Timeout=60 -o Acquire::Retries=2'
  apt-get $options update && apt-get $options install -y --no-install-recommends "$1"
`;

/** Only this switch allows tests to change the machine. CI sets it. */
const isAllowed = (): boolean => process.env['INSTALL_SYSTEM_PACKAGES'] === 'true';

/**
 * Installs a system package without starting its service: only with INSTALL_SYSTEM_PACKAGES=true, and only as root on
 * Debian or Ubuntu.
 * @returns Whether it was installed; a failure is printed on stderr.
 */
export async function installSystemPackage(name: string): Promise<boolean> {
  if (!isAllowed() || process.getuid?.() !== 0 || !(await isDebian())) return false;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  // Suites that install at the same time wait for each other; apt-get update does not wait by itself.
  const args = [join(tmpdir(), 'task-api-test-apt.lock'), 'sh', '-c', script, 'sh', name];
  try {
    await execute('flock', args, { timeout: 420_000, env, maxBuffer: 64 * 1024 * 1024 });
    return true;
  } catch (error) {
    process.stderr.write(`apt-get could not install ${name}: ${String(error)}\n`);
    return false;
  }
}

/** The error of a test that needs a program which the machine does not have; it says what to do. */
export function missingOnThisMachine(what: string, debianPackage: string, alternative = ''): Error {
  const asRoot = 'set INSTALL_SYSTEM_PACKAGES=true to let the tests install it (as root on Debian or Ubuntu)';
  return new Error(
    `This test needs ${what}: install it (Debian's package is ${debianPackage})${alternative}, or ${asRoot}.`,
  );
}

async function isDebian(): Promise<boolean> {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(release);
}
