import { readFile, writeFile } from 'node:fs/promises';

const file = new URL('../../../README.md', import.meta.url);

/**
 * Writes `content` between `<!-- name -->` and `<!-- /name -->` of the README or, where the program was told `--check`,
 * fails it where something else stands there; `command` is what to run then.
 */
export async function writeReadmeSection(name: string, content: string, command: string): Promise<void> {
  const readme = await readFile(file, 'utf8');
  const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const before = readme.indexOf(start);
  const after = readme.indexOf(end);
  if (before < 0 || after < before) throw new Error(`README.md has no ${start} … ${end}`);
  const text = `${readme.slice(0, before + start.length)}\n${content}${readme.slice(after)}`;
  if (!process.argv.includes('--check')) await writeFile(file, text);
  else if (text !== readme) {
    process.stderr.write(`The table of ${name} in README.md is stale: run \`${command}\` and commit it.\n`);
    process.exitCode = 1;
  }
}
