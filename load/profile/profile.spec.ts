import { describe, expect, it } from '@jest/globals';
import { flameGraph } from './flame-graph.js';
import { originOf, type CallFrame } from './origin.js';
import { foldCpu, foldHeap, type CpuProfile } from './profile.js';
import { byGroup, hottest } from './tables.js';

const root = 'file:///srv/checkout/';
const frame = (functionName: string, url = '', scriptId = url === '' ? '0' : '1'): CallFrame => ({
  functionName,
  url,
  scriptId,
});
const own = `${root}dist/libs/platform/http/endpoint.js`;
const fastify = `${root}node_modules/fastify/lib/route.js`;

/** 100 ms: route.js calls two versions of `handle`, one of which is collected in; the rest is idle. */
const profile: CpuProfile = {
  nodes: [
    { id: 1, callFrame: frame('(root)'), children: [2, 3, 7] },
    { id: 2, callFrame: frame('(idle)') },
    { id: 3, callFrame: frame('route', fastify), children: [4, 5] },
    { id: 4, callFrame: frame('handle', own), children: [6] },
    { id: 5, callFrame: frame('handle', own) },
    { id: 6, callFrame: frame('(garbage collector)') },
    { id: 7, callFrame: frame('writev') },
  ],
  samples: [2, 3, 4, 5, 6, 7, 2],
  timeDeltas: [0, 40_000, 10_000, 20_000, 5_000, 15_000, 10_000],
};

describe('a profile of CPU time', () => {
  const tree = foldCpu(profile, root);

  it('counts a sample until the next one, and no idle time', () => {
    expect(tree.total).toBe(60_000);
    expect(tree.children.map(({ name, total }) => [name, total])).toEqual([
      ['route', 50_000],
      ['writev', 10_000],
    ]);
  });

  it('puts the versions of a function together', () => {
    const [route] = tree.children;
    expect(route?.self).toBe(10_000);
    expect(route?.children).toEqual([
      expect.objectContaining({ name: 'handle', self: 25_000, total: 40_000 }),
    ]);
  });

  it('has a table by package that adds up to the whole', () => {
    const rows = byGroup(tree);
    expect(rows.map(({ name, self }) => [name, self])).toEqual([
      ['libs/platform/http', 25_000],
      ['garbage collection', 15_000],
      ['native code', 10_000],
      ['fastify', 10_000],
    ]);
    expect(rows.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1);
  });

  it('names the hottest functions by their source files', () => {
    expect(hottest(tree, 1)).toEqual([
      { name: 'handle  libs/platform/http/endpoint.ts', self: 25_000, share: 25 / 60 },
    ]);
  });
});

it('a profile of memory counts what each function allocated', () => {
  const head = {
    callFrame: frame('(root)'),
    selfSize: 0,
    children: [
      {
        callFrame: frame('parse', own),
        selfSize: 300,
        children: [{ callFrame: frame('read', 'node:fs'), selfSize: 100, children: [] }],
      },
    ],
  };
  expect(byGroup(foldHeap({ head }, root)).map(({ name, self }) => [name, self])).toEqual([
    ['libs/platform/http', 300],
    ["Node's own modules", 100],
  ]);
});

describe('the origin of a function', () => {
  it.each([
    [own, 'ours', 'libs/platform/http', 'libs/platform/http/endpoint.ts'],
    [
      `${root}dist/libs/tasks/http/tasks.controller.js`,
      'ours',
      'libs/tasks',
      'libs/tasks/http/tasks.controller.ts',
    ],
    [`${root}node_modules/a/node_modules/@b/c/d.js`, 'package', '@b/c', '@b/c/d.js'],
    ['node:internal/streams/readable', 'node', "Node's own modules", 'node:internal/streams/readable'],
  ])('at %s', (url, kind, group, file) => {
    expect(originOf(frame('f', url), root)).toEqual({ kind, group, file });
  });

  it('tells native code from what a library compiles at run time', () => {
    expect(originOf(frame('f'), root).group).toBe('native code');
    expect(originOf(frame('f', '', '77'), root).group).toBe('code compiled at run time');
  });
});

describe('the flame graph', () => {
  const svg = flameGraph(foldCpu(profile, root), 'a & b');

  it('has a box with a tooltip for each function, and no script', () => {
    expect(svg).toContain('<title>handle\nlibs/platform/http/endpoint.ts\n66.67 %, itself 41.67 %</title>');
    expect(svg.match(/<title>/g)).toHaveLength(5);
    expect(svg).not.toContain('<script');
  });

  it('makes each box as wide as its share, on the one that called it', () => {
    const [, width] = /<svg x="0.0" y="\d+" width="([\d.]+)"[^>]*><title>route/.exec(svg) ?? [];
    expect(Number(width)).toBeCloseTo((1800 * 50) / 60, 0);
    const levelOf = (name: string): number =>
      Number(new RegExp(`y="(\\d+)"[^>]*><title>${name}\n`).exec(svg)?.[1]);
    expect(levelOf('route') - levelOf('handle')).toBe(17);
  });

  it('escapes what XML would misread', () => {
    expect(svg).toContain('a &#38; b');
  });
});
