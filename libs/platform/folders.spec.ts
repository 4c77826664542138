import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

describe('the folders of the platform', () => {
  it('are told of in its README, in one sentence each', () => {
    const folders = readdirSync(import.meta.dirname, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
    const readme = readFileSync(join(import.meta.dirname, 'README.md'), 'utf8');
    const told = [...readme.matchAll(/^\| `([a-z]+)` \| .+\. \|$/gm)].map(([, name]) => name);
    expect(told.sort()).toEqual(folders.sort());
  });
});
