import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { endWithUs } from '../../test/support/end-with-us.js';
import { say } from '../support/figures.js';

/** Keeps one core busy, as a password hash does. @returns a function that ends it */
export function keepCoreBusy(): () => void {
  const child = spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' });
  const release =
    child.pid === undefined ? () => undefined : endWithUs({ pid: child.pid, signal: 'SIGKILL' });
  child.once('exit', release);
  return () => void child.kill('SIGKILL');
}

interface Summary {
  readonly metrics: Readonly<
    Record<string, { readonly values: Readonly<Record<string, number>> } | undefined>
  >;
}

/** Compares the calls beside the logins with those before, beside one busy core. `file` is a summary of login-storm. */
export async function sayLoginStormRatio(file: string): Promise<void> {
  const { metrics } = JSON.parse(await readFile(file, 'utf8')) as Summary;
  const p99 = (scenario: string): number =>
    metrics[`http_req_duration{scenario:${scenario}}`]?.values['p(99)'] ?? NaN;
  const ratio = (p99('during') / p99('before')).toFixed(2);
  say(`p99 of other calls: ${ratio} times that beside one busy core`);
}
