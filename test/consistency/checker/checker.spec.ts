import { check } from './checker.js';
import type { Operation } from './history.js';
import { list, operation as op, refused, unanswered } from './operation-fixture.js';

const kindsIn = (...operations: readonly Operation[]) => check(operations).map(({ kind }) => kind);

const task = { target: 't' };
const created = op('create', [0, 10], { ...task, version: 1 });
const patched = op('patch', [20, 30], { ...task, version: 2 });

describe('reading your writes', () => {
  it('finds a read of an older version than an acknowledged one', () => {
    expect(kindsIn(created, patched, op('get', [31, 35], { ...task, version: 1 }))).toEqual(['stale read']);
  });

  it('lets a read that began before the acknowledgement see the older version', () => {
    expect(kindsIn(created, patched, op('get', [29, 35], { ...task, version: 1 }))).toEqual([]);
  });

  it('accepts a patch without a response as applied or not', () => {
    const lost = op('patch', [20, 30], { ...task, ...unanswered });
    const reads = [1, 1, 2].map((version, n) => op('get', [40 + 10 * n, 45 + 10 * n], { ...task, version }));
    expect(kindsIn(created, lost, ...reads)).toEqual([]);
  });

  it('finds that a task is missing', () => {
    expect(kindsIn(created, op('get', [11, 12], { ...task, ...refused(404) }))).toEqual(['stale read']);
  });

  it('lets a task be missing while it is being deleted', () => {
    const deleted = op('delete', [11, 20], { ...task, ...unanswered });
    expect(kindsIn(created, deleted, op('get', [11, 12], { ...task, ...refused(404) }))).toEqual([]);
  });

  it('does not accept a missing task because of a deletion of an earlier version', () => {
    const deleted = op('delete', [11, 20], { ...task, ...unanswered, ifMatch: 1 });
    const gone = op('get', [31, 32], { ...task, ...refused(404) });
    expect(kindsIn(created, deleted, patched, gone)).toEqual(['stale read']);
  });

  it('finds a deleted task that is still shown', () => {
    const deleted = op('delete', [11, 20], task);
    expect(kindsIn(created, deleted, list([21, 22], { t: 1 }))).toEqual(['stale read']);
  });

  it('lets a deleted task be shown again after its restoration has begun', () => {
    const deleted = op('delete', [11, 20], task);
    const restored = op('restore', [21, 40], { ...task, version: 2 });
    expect(kindsIn(created, deleted, restored, list([25, 26], { t: 2 }))).toEqual([]);
  });

  it('finds a list that misses a new task, whichever client asks', () => {
    expect(kindsIn(created, list([11, 12], {}, { client: 'u.b' }))).toEqual(['stale read']);
  });

  it('does not treat a list with more pages as complete', () => {
    expect(kindsIn(created, list([11, 12], {}, { isWhole: false }))).toEqual([]);
  });

  it('expects in a filtered list only tasks that match the filter', () => {
    const odd = op('create', [0, 10], { target: 'x-odd', version: 1 });
    expect(kindsIn(odd, list([11, 12], {}, { filter: 'even' }))).toEqual([]);
    expect(kindsIn(odd, list([11, 12], {}, { filter: 'odd' }))).toEqual(['stale read']);
  });

  it('finds statistics that miss a new task', () => {
    expect(kindsIn(created, op('stats', [11, 12], { total: 0 }))).toEqual(['stale read']);
  });

  it('accepts statistics with or without a task that is being created', () => {
    const other = op('create', [5, 20], { target: 's', ...unanswered });
    const counts = [1, 2].map((total) => op('stats', [11, 12], { total }));
    expect(kindsIn(created, other, ...counts)).toEqual([]);
  });

  it('finds an old profile', () => {
    const registered = op('register', [0, 1]);
    const renamed = op('profile.patch', [2, 3], { version: 2 });
    const read = op('profile.get', [4, 5], { version: 1 });
    expect(kindsIn(registered, renamed, read)).toEqual(['stale read']);
    expect(kindsIn(registered, renamed, { ...read, invokedAt: 2.5 })).toEqual([]);
  });

  it('finds a call that treats an existing task as missing', () => {
    expect(kindsIn(created, op('patch', [11, 12], { ...task, ...refused(404) }))).toEqual(['stale read']);
  });

  it('finds the old version in a 412', () => {
    const patch = op('patch', [31, 32], { ...task, ...refused(412), version: 1 });
    expect(kindsIn(created, patched, patch)).toEqual(['stale read']);
  });

  it('finds a new password that is refused, and an old one that is accepted', () => {
    const changes = [op('register', [0, 1]), op('password.change', [2, 3], { target: '2' })];
    expect(kindsIn(...changes, op('login', [4, 5], { target: '2', ...refused(401) }))).toEqual([
      'stale read',
    ]);
    expect(kindsIn(...changes, op('login', [4, 5], { target: '1' }))).toEqual(['stale read']);
    expect(kindsIn(...changes, op('login', [2.5, 5], { target: '1', ...refused(401) }))).toEqual([]);
  });

  it('checks each user separately', () => {
    expect(kindsIn(created, list([11, 12], {}, { user: 'v', client: 'v.a' }))).toEqual([]);
  });
});

describe('reading forwards', () => {
  const lost = op('patch', [20, 60_000], { ...task, ...unanswered });

  it('finds a read that is older than the one before it', () => {
    const reads = [list([30, 31], { t: 2 }), op('get', [32, 33], { ...task, version: 1 })];
    expect(kindsIn(created, lost, ...reads)).toEqual(['read going backwards']);
  });

  it('lets two reads that overlap differ', () => {
    const reads = [list([30, 35], { t: 2 }), op('get', [32, 33], { ...task, version: 1 })];
    expect(kindsIn(created, lost, ...reads)).toEqual([]);
  });

  it('finds a task that comes back without being restored', () => {
    const deleted = op('delete', [20, 60_000], { ...task, ...unanswered });
    const gone = op('get', [30, 31], { ...task, ...refused(404) });
    expect(kindsIn(created, deleted, gone, list([32, 33], { t: 1 }))).toEqual(['read going backwards']);
  });

  it('reports a wrong response once, and not the right ones after it', () => {
    const reads = [list([31, 32], {}), list([33, 34], { t: 2 }), list([35, 36], { t: 2 })];
    expect(kindsIn(created, patched, ...reads)).toEqual(['stale read']);
  });
});

describe('keeping what was acknowledged', () => {
  it('finds a write that is missing on the primary at the end', () => {
    const final = { isFinal: true, process: 'primary' } as const;
    expect(kindsIn(created, patched, list([90, 91], { t: 1 }, final))).toEqual(['lost write']);
    expect(kindsIn(created, patched, list([90, 91], {}, final))).toEqual(['lost write']);
    expect(kindsIn(created, patched, list([90, 91], { t: 2 }, final))).toEqual([]);
  });

  it('finds two writes that made the same version', () => {
    const other = op('patch', [20, 30], { ...task, version: 2 });
    expect(kindsIn(created, patched, other)).toEqual(['lost write']);
    expect(kindsIn(created, patched, { ...other, version: 3 })).toEqual([]);
  });

  it('finds a write that starts from an old version', () => {
    const other = op('patch', [31, 40], { ...task, version: 2, outcome: 'ok' });
    expect(kindsIn(created, op('patch', [20, 30], { ...task, version: 3 }), lostAt(15), other)).toContain(
      'lost write',
    );
  });

  it('finds a version with two contents', () => {
    const write = { ...patched, value: 'mine' };
    const read = op('get', [40, 41], { ...task, version: 2, value: 'another' });
    expect(kindsIn(created, write, read)).toEqual(['lost write']);
    expect(kindsIn(created, write, { ...read, value: 'mine' })).toEqual([]);
  });

  function lostAt(time: number): Operation {
    return op('patch', [time, time + 1], { ...task, ...unanswered });
  }
});
