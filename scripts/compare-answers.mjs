// node scripts/compare-answers.mjs A B [--wording]: compares two folders that were written with RECORD_ANSWERS, test file
// by test file, and prints the differences of the responses. Exit code 1 if there are any. Texts of problems may differ:
// they are counted, and printed with --wording.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';

const folders = process.argv.slice(2).filter((argument) => argument !== '--wording');
const showsWording = process.argv.includes('--wording');
if (folders.length !== 2 || !folders.every((folder) => existsSync(folder))) {
  console.error('Usage: node scripts/compare-answers.mjs A B [--wording]');
  process.exit(64);
}

/** Tests with concurrent requests that may end in different ways, all of them right. */
const openTests = [
  'deleting the account and a change of the same version can not both go through',
  'a change of the password happens once when it is asked for twice at the same time',
  // Some are refused while the first is in progress, or none.
  'a retried POST makes one task of fifty at once',
];

/** Whether this read creates the profile, and so reports a write, depends on when the queue creates it again. */
const openToken = 'the profile is made when it is first read, if a crash came between registration and it';

const names = [...new Set(folders.flatMap((folder) => readdirSync(folder)))].sort();
let different = 0;
let compared = 0;
const reworded = new Map();
const kinds = new Map();
for (const name of names) compareFile(name);
for (const { count, first, texts } of [...kinds.values()].sort((a, b) => b.count - a.count)) {
  console.log(`${first}${count > 1 ? `, and ${count - 1} more` : ''}`);
  for (const text of texts) console.log(`    ${text}`);
}
for (const [texts, count] of showsWording ? reworded : []) console.log(`reworded ${count}×\n${texts}`);
console.log(`${compared} steps alike, ${reworded.size} texts reworded, ${different} differences`);
process.exitCode = different > 0 ? 1 : 0;

function compareFile(name) {
  const missing = folders.find((folder) => !existsSync(join(folder, name)));
  if (missing !== undefined) {
    different++;
    console.log(`${name}: not in ${missing}`);
    return;
  }
  const [before, after] = folders.map((folder) => read(join(folder, name)));
  const { pairs, removed, added } = align(before, after);
  compared += pairs.length;
  for (const [a, b] of pairs) recordWording(a.lines, b.lines);
  // Requests in both folders are shown as one difference, all others as missing.
  for (const step of removed) {
    const index = added.findIndex((other) => other.request === step.request);
    const [other] = index < 0 ? [] : added.splice(index, 1);
    tell(name, step, other);
  }
  for (const step of added) tell(name, undefined, step);
}

/** The steps of a test file: one request, or several concurrent ones. */
function read(file) {
  const lines = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const steps = [];
  for (const line of lines) {
    const last = steps.at(-1);
    if (line.together !== undefined && last?.together === line.together) last.lines.push(line);
    else steps.push({ together: line.together, lines: [line] });
  }
  return (
    steps
      .map(keyed)
      // The number of requests of a poll varies.
      .filter((step, n, all) => n === 0 || step.key !== all[n - 1].key)
  );
}

function keyed({ together, lines }) {
  const isGroup = together !== undefined;
  const answers = lines.map((line) => (isGroup ? ofGroup(comparable(line)) : comparable(line)));
  const distinct = [...new Set(answers.map((answer) => JSON.stringify(answer)))].sort();
  const request = [...new Set(answers.map(asked))].sort().join('\n');
  const isOpen = isGroup && openTests.includes(lines[0].test);
  const key = isOpen ? request : distinct.join('\n');
  return { lines, isGroup, key, request, answers: distinct.map((text) => JSON.parse(text)) };
}

function asked({ method, path, body }) {
  return JSON.stringify([method, path, body]);
}

/** Without what may differ: the name of the test and the texts. */
function comparable({ test, together: _together, wording: _wording, ...line }) {
  if (test !== openToken) return line;
  const { 'consistency-token': _token, ...answerHeaders } = line.answerHeaders;
  return { ...line, answerHeaders };
}

/** The order of concurrent requests is undefined, and so is every number in their responses. */
function ofGroup({ status, ...line }) {
  return { ...JSON.parse(JSON.stringify(line).replaceAll(/\d+/g, '0')), status };
}

/** Aligns the steps by the longest common subsequence of their keys. */
function align(before, after) {
  const lengths = Array.from({ length: before.length + 1 }, () => new Uint32Array(after.length + 1));
  for (let i = before.length - 1; i >= 0; i--)
    for (let j = after.length - 1; j >= 0; j--)
      lengths[i][j] =
        before[i].key === after[j].key
          ? lengths[i + 1][j + 1] + 1
          : Math.max(lengths[i + 1][j], lengths[i][j + 1]);
  const [pairs, removed, added] = [[], [], []];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    if (before[i]?.key === after[j]?.key) pairs.push([before[i++], after[j++]]);
    else if (j === after.length || (i < before.length && lengths[i + 1][j] >= lengths[i][j + 1]))
      removed.push(before[i++]);
    else added.push(after[j++]);
  }
  return { pairs, removed, added };
}

function recordWording(before, after) {
  if (before.length !== 1 || after.length !== 1) return;
  const [a, b] = [before[0].wording, after[0].wording];
  if (isDeepStrictEqual(a, b)) return;
  const texts = [...a.map((text) => `  - ${text}`), ...b.map((text) => `  + ${text}`)].join('\n');
  reworded.set(texts, (reworded.get(texts) ?? 0) + 1);
}

/** Grouped by what differs, so that the same difference in many responses is printed once. */
function tell(name, before, after) {
  const { lines, isGroup } = before ?? after;
  const [{ test, method, path }] = lines;
  const example = `${name}: ${test ?? '(before the tests)'}\n  ${method} ${path}${isGroup ? `, ${lines.length} at once` : ''}`;
  const texts = textsOf(before, after);
  // Missing steps are printed one by one.
  const kind = before && after ? texts.join('\n') : `${example}${texts.join('')}${different}`;
  const { count = 0, first = example } = kinds.get(kind) ?? {};
  kinds.set(kind, { count: count + 1, first, texts });
  different++;
}

function textsOf(before, after) {
  if (after === undefined) return ['only in the first'];
  if (before === undefined) return ['only in the second'];
  if (!before.isGroup || !after.isGroup) return differences(before.answers[0], after.answers[0], '');
  const only = (a, b) => a.answers.filter((one) => !b.answers.some((other) => isDeepStrictEqual(one, other)));
  const added = only(after, before);
  const changes = only(before, after).flatMap((answer) => {
    const index = added.findIndex(
      (other) => asked(other) === asked(answer) && other.status === answer.status,
    );
    return index < 0 ? [`- ${shown(answer)}`] : differences(answer, added.splice(index, 1)[0], '');
  });
  return [...new Set([...changes, ...added.map((answer) => `+ ${shown(answer)}`)])];
}

function differences(a, b, path) {
  if (isDeepStrictEqual(a, b)) return [];
  const areObjects = [a, b].every((value) => typeof value === 'object' && value !== null);
  if (!areObjects || Array.isArray(a) !== Array.isArray(b)) return [`${path}: ${shown(a)} → ${shown(b)}`];
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].flatMap((key) => differences(a[key], b[key], `${path}/${key}`));
}

function shown(value) {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 400);
}
