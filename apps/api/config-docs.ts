import { readFile, writeFile } from 'node:fs/promises';
import { describeVariables } from '../../libs/platform/config/documentation.js';
import { apiVariables } from './config.js';

/** `config-docs [--check]`: writes the configuration table into the README, or fails where it is stale. */
const file = new URL('../../../README.md', import.meta.url);
const readme = await readFile(file, 'utf8');
const [start, end] = ['<!-- configuration -->', '<!-- /configuration -->'];
const before = readme.indexOf(start);
const after = readme.indexOf(end);
if (before < 0 || after < before) throw new Error(`README.md has no ${start} … ${end}`);
const text = `${readme.slice(0, before + start.length)}\n${describeVariables(apiVariables)}${readme.slice(after)}`;
if (!process.argv.includes('--check')) await writeFile(file, text);
else if (text !== readme) {
  process.stderr.write(
    'The configuration table of README.md is stale: run `npm run config:docs` and commit it.\n',
  );
  process.exitCode = 1;
}
