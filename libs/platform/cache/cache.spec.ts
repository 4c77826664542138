import { z } from 'zod';
import { CallContext } from '../context/call-context.js';
import { ConsistencyView } from '../context/consistency-view.js';
import { Deadline } from '../context/deadline.js';
import { featureName } from '../context/feature-name.js';
import type { LastWrites } from '../context/last-write.js';
import { sharedScope, userScope, type Scope } from '../context/scope.js';
import { DeadlineExceeded } from '../errors/common-errors.js';
import { Metrics } from '../metrics/metrics.js';
import { originOf, type Position } from '../positions/position.js';
import { Cache, type CacheParts, type Filled } from './cache.js';
import { AskedKeys } from './asked-keys.js';
import { Caches } from './caches.js';
import { valueForm } from './cached-form.js';
import { MemoryLayer } from './memory-layer.js';

const database = '0123456789abcdef';
const at = (lsn: number): Position => `${database}00000001${lsn.toString(16).padStart(16, '0')}`;
const ada = userScope('ada');
const project = sharedScope('project', 'p1');
const counter = new Metrics()
  .counter({ name: 'look_ups', help: 'Of these tests.', labelNames: [] })
  .series({});
const lookUps = { bypass: counter, memory: counter, flight: counter, redis: counter, miss: counter };

/** A cache of a feature in the process itself, or in another one. */
function open({ isOwn }: { readonly isOwn: boolean }): Cache<string> {
  const parts: CacheParts = {
    consistency: { prepare: () => null, isOwn: () => isOwn },
    memory: new MemoryLayer({ CACHE_MEMORY_MIB: 1 }),
    redis: null,
    asked: new AskedKeys(),
    isEnabled: true,
    isFresh: (stamp, needed) => Caches.prototype.isFresh(stamp, needed),
  };
  const definition = { name: 'things', ttlMs: 60_000, dependsOn: [featureName('things')] };
  return new Cache(parts, definition, valueForm(z.string()), lookUps);
}

/** A call that knows these last-write positions of its scopes. */
function callWith(positions: Readonly<Record<string, number>>, deadline = Deadline.none): CallContext {
  const lastWrites = new Map<Scope, LastWrites>();
  for (const [scope, lsn] of Object.entries(positions)) {
    const byFeature = new Map([['things', { kind: 'known' as const, position: at(lsn) }]]);
    lastWrites.set(scope as Scope, { byFeature, missing: { kind: 'unknown', isSettled: true } });
  }
  const call = new CallContext({ deadline });
  call.view = new ConsistencyView({
    userId: 'ada',
    databaseOf: () => ({ isTrusted: true, minimum: originOf(database) }),
    lastWrites,
  });
  return call;
}

const fillWith = (filled: Filled<string>) => () => Promise.resolve(filled);
const never = () => Promise.reject(new Error('It was not in the cache.'));

describe('a cached value', () => {
  it('serves calls that know nothing later than it does', async () => {
    const cache = open({ isOwn: true });
    await callWith({ ada: 5 }).run(() => cache.through('key', fillWith({ value: 'v' })));
    expect(await callWith({ ada: 5 }).run(() => cache.through('key', never))).toBe('v');
    await expect(callWith({ ada: 6 }).run(() => cache.through('key', never))).rejects.toThrow('not in the');
  });

  it('is kept from the second time on where its key is rare', async () => {
    const cache = open({ isOwn: true });
    const read = (fill: () => Promise<Filled<string>>) =>
      callWith({ ada: 5 }).run(() => cache.through('key', fill, { isRare: true }));
    expect(await read(fillWith({ value: 'first' }))).toBe('first');
    expect(await read(fillWith({ value: 'second' }))).toBe('second');
    expect(await read(never)).toBe('second');
  });

  it('that users share depends on all scopes that it is looked up with', async () => {
    const cache = open({ isOwn: true });
    const read = (positions: Readonly<Record<string, number>>, fill: () => Promise<Filled<string>>) =>
      callWith(positions).run(() => cache.through('key', fill, { scopes: [project, ada] }));
    await read({ ada: 5, [project]: 7 }, fillWith({ value: 'v' }));
    expect(await read({ ada: 5, [project]: 7 }, never)).toBe('v');
    await expect(read({ ada: 5, [project]: 8 }, never)).rejects.toThrow('not in the');
    await expect(read({ ada: 6, [project]: 7 }, never)).rejects.toThrow('not in the');
  });

  it('that turned out to depend on more than it was looked up with is not kept', async () => {
    const cache = open({ isOwn: true });
    const fill = fillWith({ value: 'v', scopes: [ada, project] });
    await expect(callWith({ ada: 5 }).run(() => cache.through('key', fill))).resolves.toBe('v');
    await expect(callWith({ ada: 5 }).run(() => cache.through('key', never))).rejects.toThrow('not in the');
  });
});

describe("a value of another process' feature", () => {
  it('is kept with what its owner knew, which may be less than the asker knows', async () => {
    const cache = open({ isOwn: false });
    const ask = (fill: () => Promise<Filled<string>>) =>
      callWith({ ada: 5 }).run(() => cache.through('key', fill));
    await ask(fillWith({ value: 'old', stamp: [at(4)] }));
    await expect(ask(never)).rejects.toThrow('not in the');
    await ask(fillWith({ value: 'new', stamp: [at(6)] }));
    expect(await ask(never)).toBe('new');
  });

  it.each([{ stamp: null }, {}])('is not kept where the owner could not tell: %j', async (known) => {
    const cache = open({ isOwn: false });
    await callWith({ ada: 5 }).run(() => cache.through('key', fillWith({ value: 'v', ...known })));
    await expect(callWith({ ada: 5 }).run(() => cache.through('key', never))).rejects.toThrow('not in the');
  });
});

it('does not end with the deadline of another call that began to fill it', async () => {
  const cache = open({ isOwn: true });
  const hasty = new Deadline(10);
  const first = callWith({ ada: 5 }, hasty).run(() =>
    cache.through('key', () => hasty.limit(new Promise(() => undefined))),
  );
  const second = callWith({ ada: 5 }).run(() => cache.through('key', fillWith({ value: 'v' })));
  await expect(first).rejects.toThrow(DeadlineExceeded);
  await expect(second).resolves.toBe('v');
});
