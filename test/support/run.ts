import { execFile } from 'node:child_process';
import { join } from 'node:path';

export interface Ended {
  readonly code: number;
  readonly output: string;
}

const ownRoot = join(import.meta.dirname, '..', '..');

/** Runs a compiled app (`cli`, `migrate`) to its end, as its npm script would; from this checkout or another one. */
export function runApp(
  app: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  {
    root = ownRoot,
    timeoutMs = 60_000,
  }: { readonly root?: string | undefined; readonly timeoutMs?: number } = {},
): Promise<Ended> {
  const { PATH, HOME, TMPDIR } = process.env;
  const file = join('dist', 'apps', app, 'main.js');
  const options = { cwd: root, env: { PATH, HOME, TMPDIR, NODE_ENV: 'test', ...env }, timeout: timeoutMs };
  return new Promise((resolve) => {
    execFile(
      join(root, 'node_modules', '.bin', 'node'),
      [file, ...args],
      options,
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
        resolve({ code, output: stdout + stderr });
      },
    );
  });
}
