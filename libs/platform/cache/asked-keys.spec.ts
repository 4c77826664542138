import { AskedKeys } from './asked-keys.js';

describe('the keys that were asked for', () => {
  it('are known from the second time on', () => {
    const keys = new AskedKeys();
    expect([keys.ask('a'), keys.ask('b'), keys.ask('a'), keys.ask('b'), keys.ask('')]).toEqual([
      ...[false, false, true, true, false],
    ]);
  });

  it('are forgotten where many others come: the memory is bounded', () => {
    const keys = new AskedKeys();
    keys.ask('first');
    for (let n = 0; n < 2_000_000; n++) keys.ask(`other ${n}`);
    expect(keys.ask('first')).toBe(false);
  });

  it('are nearly all known while they are few', () => {
    const keys = new AskedKeys();
    const some = Array.from({ length: 5000 }, (_, n) => `task-lists user:${n} {"limit":25}`);
    expect(some.filter((key) => keys.ask(key)).length).toBeLessThan(5);
    expect(some.filter((key) => keys.ask(key)).length).toBeGreaterThan(4700);
  });
});
