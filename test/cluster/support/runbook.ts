import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './command.js';

const folder = join(import.meta.dirname, '..', '..', '..', 'docs', 'runbooks');

/**
 * Runs the commands of a runbook as an operator would paste them, one fenced `sh` block after the other, in one shell that
 * stops at the first that fails. Their variables come from `env`.
 */
export async function followRunbook(name: string, env: Readonly<Record<string, string>>): Promise<string> {
  const text = await readFile(join(folder, `${name}.md`), 'utf8');
  const blocks = [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, commands = '']) => commands);
  if (blocks.length === 0) throw new Error(`${name} has no commands.`);
  return run('bash', ['-euo', 'pipefail', '-s'], { input: blocks.join('\n'), env, timeoutMs: 600_000 });
}
