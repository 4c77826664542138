import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './command.js';

const folder = join(import.meta.dirname, '..', '..', '..', 'docs', 'runbooks');

/**
 * Runs the commands of a runbook as an operator would paste them: one fenced `sh` block after the other, in one shell that
 * stops at the first failing command. `values` replaces the values of the variables in the runbook's first lines.
 */
export async function followRunbook(name: string, values: Readonly<Record<string, string>>): Promise<string> {
  const text = await readFile(join(folder, `${name}.md`), 'utf8');
  const blocks = [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, commands = '']) => commands);
  const script = Object.entries(values).reduce((commands, [variable, value]) => {
    const assignment = new RegExp(`^${variable}=\\S+`, 'm');
    if (!assignment.test(commands)) throw new Error(`${name} has no ${variable}.`);
    return commands.replace(assignment, `${variable}=${value}`);
  }, blocks.join('\n'));
  return run('bash', ['-euo', 'pipefail', '-s'], { input: script, timeoutMs: 900_000 });
}
