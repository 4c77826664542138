import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const read = (page: string): string => readFileSync(join(root, page), 'utf8');

const pages = [
  ...['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md', 'helm/task-api/README.md'],
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => join('docs', file)),
];

/** Removes code, in which brackets are no links and `#` begins no heading. */
const withoutCode = (text: string): string =>
  text.replaceAll(/^```.*?^```$/gms, '').replaceAll(/`[^`\n]*`/g, (code) => code.replaceAll(/[[\]]/g, ''));

/** Targets of `[text](target)`, `![text](target)` and `[text]: target`, without those on other sites. */
function linksOf(page: string): readonly string[] {
  const text = withoutCode(read(page));
  const targets = [...text.matchAll(/\]\(([^()\s]+)\)/g), ...text.matchAll(/^\[[^\]]+\]: (\S+)$/gm)];
  return targets.map(([, target = '']) => target).filter((target) => !/^[a-z]+:/.test(target));
}

/** Anchors as GitHub derives them from headings. */
function anchorsOf(page: string): readonly string[] {
  const headings = [
    ...read(page)
      .replaceAll(/^```.*?^```$/gms, '')
      .matchAll(/^#+ (.+)$/gm),
  ];
  return headings.map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(/\s/g, '-'),
  );
}

function isBroken(page: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page : relative(root, join(root, dirname(page), path));
  if (!existsSync(join(root, target))) return true;
  return anchor !== undefined && !anchorsOf(target).includes(anchor);
}

describe('the documentation', () => {
  it.each(pages)('links only to existing files and headings in %s', (page) => {
    expect(linksOf(page).filter((link) => isBroken(page, link))).toEqual([]);
  });

  it('reaches each page from the index in one or two steps', () => {
    const docs = pages.filter((page) => page.startsWith('docs/'));
    const linkedFrom = (page: string): readonly string[] =>
      linksOf(page).map((link) => join(dirname(page), link.split('#')[0] ?? ''));
    const first = linkedFrom('docs/README.md').filter((page) => page.endsWith('.md'));
    const reached = new Set(['docs/README.md', ...first, ...first.flatMap(linkedFrom)]);
    expect(docs.filter((page) => !reached.has(page))).toEqual([]);
  });

  it('has a README of at most 200 lines', () => {
    expect(read('README.md').split('\n').length - 1).toBeLessThanOrEqual(200);
  });
});
