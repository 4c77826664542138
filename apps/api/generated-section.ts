import { readFile, writeFile } from 'node:fs/promises';

/** The root of the repository, seen from the compiled file in dist/apps/api. */
const root = new URL('../../../', import.meta.url);

/**
 * Writes `content` between `<!-- name -->` and `<!-- /name -->` of the page `file`, a path in the repository. With
 * `--check` it writes nothing: the program fails where the page holds something else, and names `command` as the remedy.
 */
export async function writeGeneratedSection(
  file: string,
  name: string,
  content: string,
  command: string,
): Promise<void> {
  const page = new URL(file, root);
  const present = await readFile(page, 'utf8');
  const [start, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const before = present.indexOf(start);
  const after = present.indexOf(end);
  if (before < 0 || after < before) throw new Error(`${file} has no ${start} … ${end}`);
  const text = `${present.slice(0, before + start.length)}\n${content}${present.slice(after)}`;
  if (!process.argv.includes('--check')) await writeFile(page, text);
  else if (text !== present) {
    process.stderr.write(`The table in ${file} is stale: run \`${command}\` and commit the result.\n`);
    process.exitCode = 1;
  }
}
