// npm run helm:docs [-- --check]: generates the table of values in the chart's README from values.yaml; --check fails if
// it is stale. The description of a value is the comment above it that begins with "--".
import { readFileSync, writeFileSync } from 'node:fs';
import { ensureInstalled } from './bootstrap.mjs';

ensureInstalled();
const { isMap, parseDocument } = await import('yaml');

const at = (name) => new URL(`../helm/task-api/${name}`, import.meta.url);
const [start, end] = ['<!-- values -->', '<!-- /values -->'];

/** Maps that get a single row: their structure is not defined by this chart. */
const isOneRow = (name, value) =>
  !isMap(value) || value.items.length === 0 || ['resources', 'labels'].includes(name);

function describe(comment) {
  const lines = (comment ?? '').split('\n').map((line) => line.trim());
  const from = lines.findLastIndex((line) => line.startsWith('-- '));
  return from < 0 ? '' : lines.slice(from).join(' ').slice(3).trim();
}

/** One row per value. The parser attaches the comment above the first key of a map to the map. */
function rowsOf(map, path) {
  return map.items.flatMap(({ key, value }, i) => {
    const name = [...path, key.value];
    const text = describe(key.commentBefore ?? (i === 0 ? map.commentBefore : ''));
    if (isOneRow(key.value, value))
      return [`| \`${name.join('.')}\` | \`${JSON.stringify(value.toJSON())}\` | ${text} |`];
    return [...(text ? [`| \`${name.join('.')}\` | | ${text} |`] : []), ...rowsOf(value, name)];
  });
}

const { contents } = parseDocument(readFileSync(at('values.yaml'), 'utf8'));
const table = ['| value | default | what it is |', '|---|---|---|', ...rowsOf(contents, []), ''].join('\n');
const readme = readFileSync(at('README.md'), 'utf8');
const [before, after] = [readme.indexOf(start), readme.indexOf(end)];
if (before < 0 || after < before) throw new Error(`The chart's README.md has no ${start} … ${end}`);
const text = `${readme.slice(0, before + start.length)}\n${table}${readme.slice(after)}`;
if (!process.argv.includes('--check')) writeFileSync(at('README.md'), text);
else if (text !== readme) {
  console.error("The values in the chart's README.md are stale: run `npm run helm:docs` and commit it.");
  process.exitCode = 1;
}
