import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Services stay off: Debian's own switch for that (policy-rc.d), unless the machine has one, as images do. */
const script = `
  policy=/usr/sbin/policy-rc.d
  if test ! -e "$policy"; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\\nexit 101\\n' >"$policy" && chmod +x "$policy"
  fi
  options='-q -o DPkg::Lock::Timeout=60 -o Acquire::Retries=2'
  apt-get $options update && apt-get $options install -y --no-install-recommends "$1"
`;

/**
 * Installs a package of the system's own, as root on Debian and Ubuntu only, and without starting its service.
 * @returns Whether it is there; a failure is told on stderr.
 */
export async function installByApt(name: string): Promise<boolean> {
  if (process.getuid?.() !== 0 || !(await isDebian())) return false;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  // Suites that want a package at the same time wait for each other: apt-get update itself does not.
  const args = [join(tmpdir(), 'task-api-test-apt.lock'), 'sh', '-c', script, 'sh', name];
  try {
    await keepClusterUnmade();
    await execute('flock', args, { timeout: 420_000, env, maxBuffer: 64 * 1024 * 1024 });
    return true;
  } catch (error) {
    process.stderr.write(`apt-get could not install ${name}: ${String(error)}\n`);
    return false;
  }
}

/** Postgres' packages would else make a cluster of their own. */
async function keepClusterUnmade(): Promise<void> {
  const folder = '/etc/postgresql-common/createcluster.d';
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'no-main-cluster.conf'), 'create_main_cluster = false\n');
}

async function isDebian(): Promise<boolean> {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(release);
}
