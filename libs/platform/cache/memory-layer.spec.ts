import { userScope } from '../context/scope.js';
import { maxBytes, MemoryLayer } from './memory-layer.js';

const mebibyte = 1024 * 1024;
const entry = (userId: string, features: readonly string[] = ['tasks'], bytes = 10) => ({
  scope: userScope(userId),
  features,
  stamp: ['0'.repeat(40)],
  value: 'x',
  bytes,
  expiresAt: Date.now() + 60_000,
});

describe('the cache in the process', () => {
  let layer: MemoryLayer;
  beforeEach(() => {
    layer = new MemoryLayer({ CACHE_MEMORY_MIB: 1 });
  });

  it('keeps what it was given', () => {
    const kept = entry('ada');
    layer.set('key', kept);
    expect(layer.get('key')).toEqual(kept);
    expect(layer.get('other')).toBeUndefined();
  });

  it('never takes more than its memory, and drops first what was used least recently', () => {
    layer.set('old', entry('ada', ['tasks'], 1000));
    layer.set('used', entry('ada', ['tasks'], 1000));
    for (let n = 0; n < 2000; n++) {
      layer.set(`key${n}`, entry(`user${n}`, ['tasks'], 1000));
      layer.get('used');
      expect(layer.bytes).toBeLessThanOrEqual(mebibyte);
    }
    expect(layer.bytes).toBeGreaterThan(mebibyte * 0.9);
    expect(layer.get('used')).toBeDefined();
    expect(layer.get('old')).toBeUndefined();
    expect(layer.get('key1999')).toBeDefined();
  });

  it('keeps no value that is too large, nor the one that it would have replaced', () => {
    layer.set('key', entry('ada', ['tasks'], maxBytes));
    expect(layer.get('key')).toBeDefined();
    layer.set('key', entry('ada', ['tasks'], maxBytes + 1));
    expect(layer.get('key')).toBeUndefined();
    expect(layer.bytes).toBe(0);
    expect(layer.drop(userScope('ada'), 'tasks')).toBe(0);
  });

  it('counts a value once that has replaced another', () => {
    layer.set('key', entry('ada', ['tasks'], 5000));
    layer.set('key', entry('ada', ['tasks'], 100));
    expect(layer.bytes).toBeLessThan(1000);
    expect(layer.drop(userScope('ada'), 'tasks')).toBe(1);
    expect(layer.bytes).toBe(0);
  });

  it("drops a user's entries of a feature, and no others", () => {
    layer.set('list', entry('ada', ['tasks']));
    layer.set('stats', entry('ada', ['users', 'tasks']));
    layer.set('profile', entry('ada', ['users']));
    layer.set("bob's", entry('bob', ['tasks']));
    expect(layer.drop(userScope('ada'), 'tasks')).toBe(2);
    expect(['list', 'stats', 'profile', "bob's"].map((key) => layer.get(key) !== undefined)).toEqual([
      ...[false, false],
      ...[true, true],
    ]);
    expect(layer.drop(userScope('ada'), 'tasks')).toBe(0);
    expect(layer.drop(userScope('nobody'), 'tasks')).toBe(0);
  });

  it('forgets whose an entry was when that makes room for others', () => {
    layer.set('first', entry('ada', ['tasks'], 1000));
    for (let n = 0; n < 2000; n++) layer.set(`key${n}`, entry('bob', ['tasks'], 1000));
    expect(layer.drop(userScope('ada'), 'tasks')).toBe(0);
    const { length } = Array.from({ length: 2000 }, (_, n) => layer.get(`key${n}`)).filter(Boolean);
    expect(layer.drop(userScope('bob'), 'tasks')).toBe(length);
    expect(layer.bytes).toBe(0);
  });

  it('gives nothing after its time, and takes nothing whose time is over', async () => {
    layer.set('key', { ...entry('ada'), expiresAt: Date.now() + 5 });
    while (layer.get('key') !== undefined) await new Promise((resolve) => setTimeout(resolve, 1));
    layer.set('late', { ...entry('ada'), expiresAt: Date.now() });
    expect(layer.get('late')).toBeUndefined();
  });
});
