import { endedChildrenCpuSeconds } from './usage.js';

describe('the CPU time of ended children', () => {
  it('is the sum of two fields after the name, which may contain blanks and brackets', () => {
    const stat = '42 (post) gres (a)) S 1 42 42 0 -1 4194560 100 200 0 0 11 12 250 150 20 0 1 0 5 6 7';
    expect(endedChildrenCpuSeconds(stat)).toBe(4);
  });
});
