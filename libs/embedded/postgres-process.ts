import { execFile, type ExecFileOptions } from 'node:child_process';
import { chown, readFile, readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** The account that a server runs under, because Postgres refuses root. Null: our own. */
export type PostgresAccount = {
  readonly uid: number;
  readonly gid: number;
  /** The account may not enter a folder above its files (a project below /root), so it is given the right to. */
  readonly overridesAccess: boolean;
} | null;

/**
 * The account for a server whose programs and files are at these paths. As root that is the owner of `owned`, else
 * `postgres` or `nobody`, which then owns the folder.
 */
export async function postgresAccount(owned: string, program: string): Promise<PostgresAccount> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return null;
  const { uid, gid } = await stat(owned);
  const ids = uid === 0 ? await unprivilegedIds() : { uid, gid };
  if (uid === 0) await chownAll(owned, ids.uid, ids.gid);
  const plain = { ...ids, overridesAccess: false };
  return (await canReach(plain, [owned, program])) ? plain : { ...ids, overridesAccess: true };
}

async function unprivilegedIds(): Promise<{ readonly uid: number; readonly gid: number }> {
  const users = await readFile('/etc/passwd', 'utf8').catch(() => '');
  const found = /^postgres:[^:]*:(\d+):(\d+):/m.exec(users) ?? /^nobody:[^:]*:(\d+):(\d+):/m.exec(users);
  return { uid: Number(found?.[1] ?? 65534), gid: Number(found?.[2] ?? 65534) };
}

async function chownAll(path: string, uid: number, gid: number): Promise<void> {
  const entries = await readdir(path, { recursive: true });
  for (const entry of ['', ...entries]) await chown(join(path, entry), uid, gid);
}

async function canReach(account: PostgresAccount, paths: readonly string[]): Promise<boolean> {
  const script = 'for path; do test -x "$path" || exit 1; done';
  const probe = runPostgresProgram(account, '/bin/sh', ['-c', script, 'sh', ...paths], 10_000);
  return probe.then(
    () => true,
    () => false,
  );
}

/**
 * Runs one of Postgres' programs under the account and returns what it printed.
 * @throws Error with the end of its output, where it fails or takes longer than the timeout.
 */
export async function runPostgresProgram(
  account: PostgresAccount,
  file: string,
  args: readonly string[],
  timeoutMs: number,
): Promise<string> {
  const [program, programArgs] =
    account?.overridesAccess === true ? withAccess(account, file, args) : [file, args];
  const ids = account === null || account.overridesAccess ? {} : { uid: account.uid, gid: account.gid };
  const options: ExecFileOptions = {
    ...ids,
    cwd: '/',
    env: environment(),
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  };
  try {
    const { stdout } = await execute(program, [...programArgs], options);
    return stdout.toString();
  } catch (error) {
    throw describeFailure(program, error);
  }
}

/**
 * `no_setuid_fixup` keeps the capability in force for access(2), too, with which Postgres looks for its programs:
 * otherwise the kernel drops it there for every user but root.
 */
function withAccess(
  account: NonNullable<PostgresAccount>,
  file: string,
  args: readonly string[],
): readonly [string, readonly string[]] {
  const ids = [`--reuid=${account.uid}`, `--regid=${account.gid}`, '--clear-groups'];
  const rights = [
    '--inh-caps=+dac_override',
    '--ambient-caps=+dac_override',
    '--securebits=+no_setuid_fixup',
  ];
  return ['setpriv', [...ids, ...rights, '--', file, ...args]];
}

/** Without the variables that libpq and the server read, such as PGDATA, and with messages in English. */
function environment(): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(PG|LC_|LANG)/.test(name));
  return { ...Object.fromEntries(inherited), LC_ALL: 'C', TZ: 'UTC' };
}

function describeFailure(program: string, error: unknown): Error {
  const { code, killed, stderr, stdout } = error as Readonly<Record<string, unknown>>;
  if (code === 'ENOENT' && program === 'setpriv') {
    const remedy = 'install util-linux (setpriv), move the project out of that folder, or set DATABASE_URL';
    return new Error(
      `Postgres cannot run as root, and other users cannot enter the project's folder: ${remedy}.`,
    );
  }
  if (code === 'ENOENT') {
    const remedy = 'on a system without glibc (Alpine) set DATABASE_URL to a Postgres server';
    return new Error(`${program} cannot be run here: ${remedy}.`, { cause: error });
  }
  const reason = killed === true ? 'took too long' : 'failed';
  const words = [stderr, stdout]
    .filter((text) => typeof text === 'string')
    .join('\n')
    .trim()
    .slice(-2000);
  return new Error(`${basename(program)} ${reason}: ${words || String(error)}`, { cause: error });
}

/** Whether the process exists and is a Postgres server, not another process with the process id of a dead server. */
export async function isPostmaster(pid: number): Promise<boolean> {
  if (!isThere(pid)) return false;
  const command = await commandOf(pid);
  return command === null || basename(command, '.exe') === 'postgres';
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The program that a process runs: empty for a zombie (an init that does not reap leaves them), null if unknown. */
async function commandOf(pid: number): Promise<string | null> {
  if (process.platform === 'win32') return null;
  if (process.platform === 'linux') {
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => null);
    return line === null ? null : (line.split('\0')[0] ?? '');
  }
  const listed = execute('ps', ['-o', 'comm=', '-p', String(pid)], { timeout: 10_000 });
  return listed.then(
    ({ stdout }) => stdout.trim(),
    () => null,
  );
}
