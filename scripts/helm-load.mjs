// npm run helm:load [-- --check]: copies the scripts of load/k6 into the chart, which can only read files in its own folder;
// --check fails if the copies are stale.
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';

const source = new URL('../load/k6/', import.meta.url);
const target = new URL('../helm/task-api/files/load/', import.meta.url);

const read = (folder) =>
  new Map(readdirSync(folder).map((name) => [name, readFileSync(new URL(name, folder), 'utf8')]));

const wanted = read(source);
mkdirSync(target, { recursive: true });
if (!process.argv.includes('--check')) {
  for (const name of readdirSync(target)) rmSync(new URL(name, target));
  for (const [name, text] of wanted) writeFileSync(new URL(name, target), text);
} else {
  const found = read(target);
  const names = [...new Set([...wanted.keys(), ...found.keys()])];
  const stale = names.filter((name) => wanted.get(name) !== found.get(name));
  if (stale.length > 0) {
    console.error(
      `Stale in helm/task-api/files/load: ${stale.join(', ')}. Run \`npm run helm:load\` and commit it.`,
    );
    process.exitCode = 1;
  }
}
