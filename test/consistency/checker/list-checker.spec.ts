import type { Kind, Operation } from './history.js';
import { checkLists } from './list-checker.js';
import { operation, refused, unanswered } from './operation-fixture.js';

const kindsIn = (...operations: readonly Operation[]) => checkLists(operations).map(({ kind }) => kind);

type Times = readonly [number, number];
const by = (user: string, kind: Kind, times: Times, details: Partial<Operation> = {}) =>
  operation(kind, times, { user, ...details });

/** A list as it is shown to a user: versions by item. */
const shown = (user: string, times: Times, list: string, versions: Readonly<Record<string, number>>) => {
  const items = Object.entries(versions).map(([origin, version]) => ({
    ...{ origin, taskId: origin, version, value: `${origin} at ${version}` },
  }));
  return by(user, 'lists.read', times, { target: list, items, isWhole: true });
};

const item = { target: 'i' };
const created = by('ada', 'lists.create', [0, 5], { target: 'l', list: 'l', member: 'ada', version: 1 });
const joined = by('ada', 'members.join', [5, 9], { list: 'l', member: 'bob', version: 1, isChanged: true });
const added = by('ada', 'items.add', [10, 20], { ...item, list: 'l', place: 'l', version: 1 });
const patched = by('ada', 'items.patch', [30, 40], { ...item, place: 'l', version: 2 });
const moved = by('ada', 'items.move', [50, 60], { ...item, list: 'm', place: 'm', version: 3 });
const before = [created, joined, added, patched];

describe('items that many users share', () => {
  const read = (user: string, times: Times, version: number) =>
    by(user, 'items.read', times, { ...item, place: 'l', version });

  it('finds a read by another user that is older than an acknowledged write', () => {
    expect(kindsIn(...before, read('bob', [41, 42], 1))).toEqual(['stale read']);
    expect(kindsIn(...before, shown('bob', [41, 42], 'l', { i: 1 }))).toEqual(['stale read']);
  });

  it('lets a read that began before the acknowledgement see either version', () => {
    expect(kindsIn(...before, read('bob', [39, 42], 1), read('bob', [39, 43], 2))).toEqual([]);
  });

  it('finds a read that is older than what another user has seen', () => {
    const lost = by('ada', 'items.patch', [41, 50], { ...item, ...unanswered });
    expect(kindsIn(...before, lost, read('bob', [51, 52], 3), read('ada', [53, 54], 2))).toEqual([
      'read going backwards',
    ]);
    expect(kindsIn(...before, lost, read('bob', [51, 52], 2), read('ada', [53, 54], 3))).toEqual([]);
  });

  it('finds that a new item is missing for another user', () => {
    const missing = by('bob', 'items.read', [21, 22], { ...item, ...refused(404) });
    expect(kindsIn(created, joined, added, missing)).toEqual(['stale read']);
    expect(kindsIn(created, joined, added, shown('bob', [21, 22], 'l', {}))).toEqual(['stale read']);
    expect(kindsIn(created, joined, added, shown('bob', [19, 22], 'l', {}))).toEqual([]);
  });

  it('finds an item in the list that it has left, and expects it in the other one', () => {
    const after = (list: string, versions: Record<string, number>, from = 61) =>
      kindsIn(...before, moved, shown('bob', [from, 70], list, versions));
    expect(after('l', { i: 2 })).toEqual(['stale read']);
    expect(after('m', {})).toEqual(['stale read']);
    expect([after('l', {}), after('m', { i: 3 })]).toEqual([[], []]);
    expect([after('l', { i: 2 }, 59), after('l', {}, 59), after('m', {}, 59)]).toEqual([[], [], []]);
  });

  it('accepts either list after a move without an answer', () => {
    const lost = by('ada', 'items.move', [50, 60], { ...item, list: 'm', ...unanswered });
    for (const versions of [{}, { i: 2 }]) {
      expect(kindsIn(...before, lost, shown('bob', [61, 70], 'l', versions))).toEqual([]);
    }
  });

  it('finds an item that is shown after its deletion, and accepts that it is missing', () => {
    const deleted = by('ada', 'items.delete', [50, 60], { ...item, place: 'l', version: 2 });
    expect(kindsIn(...before, deleted, shown('bob', [61, 70], 'l', { i: 2 }))).toEqual(['stale read']);
    expect(kindsIn(...before, deleted, shown('bob', [61, 70], 'l', {}))).toEqual([]);
    const refusal = by('bob', 'items.patch', [61, 70], { ...item, ...refused(404) });
    expect(kindsIn(...before, deleted, refusal)).toEqual([]);
  });

  it('finds two writes that made the same version', () => {
    const rival = by('bob', 'items.move', [30, 40], { ...item, list: 'm', place: 'm', version: 2 });
    expect(kindsIn(...before, rival)).toEqual(['lost write']);
  });
});

describe('an item that is read by its last known place', () => {
  const read = (user: string, times: Times, version: number) =>
    by(user, 'items.by-place', times, { ...item, place: 'l', version });

  it('shows its reader the own writes', () => {
    expect(kindsIn(...before, read('ada', [41, 42], 1))).toEqual(['stale read']);
    expect(kindsIn(...before, read('ada', [41, 42], 2))).toEqual([]);
  });

  it('may show the writes of others later, and even go back', () => {
    expect(kindsIn(...before, read('bob', [41, 42], 2), read('bob', [43, 44], 1))).toEqual([]);
  });

  it('finds a version that nobody can have written', () => {
    expect(kindsIn(...before, read('bob', [41, 42], 5))).toEqual(['duplicated effect']);
  });
});

describe('members', () => {
  const left = by('ada', 'members.leave', [50, 60], {
    list: 'l',
    member: 'bob',
    version: 1,
    isChanged: true,
  });
  const refusal = refused(403, 'not_a_member');
  const read = (times: Times, details: Partial<Operation> = {}) =>
    by('bob', 'lists.read', times, { target: 'l', ...details });

  it('finds one who is served after the removal was acknowledged', () => {
    const item = by('bob', 'items.read', [61, 70], { target: 'i', place: 'l', version: 2 });
    expect(kindsIn(...before, left, read([61, 70]))).toEqual(['removed member served']);
    expect(kindsIn(...before, left, item)).toEqual(['removed member served']);
    expect(kindsIn(...before, left, read([59, 70]))).toEqual([]);
    expect(kindsIn(...before, left, read([61, 70], refusal))).toEqual([]);
  });

  it('finds one who is refused', () => {
    expect(kindsIn(...before, read([41, 42], refusal))).toEqual(['stale read']);
    expect(kindsIn(...before, left, read([49, 51], refusal))).toEqual([]);
  });

  it('finds one who joined again and is refused', () => {
    const again = by('bob', 'members.join', [70, 80], {
      list: 'l',
      member: 'bob',
      version: 2,
      isChanged: true,
    });
    expect(kindsIn(...before, left, again, read([81, 82], refusal))).toEqual(['stale read']);
    expect(kindsIn(...before, left, again, read([81, 82]), read([79, 82], refusal))).toEqual([]);
  });

  it('accepts either after a removal without an answer, until it was seen', () => {
    const lost = by('ada', 'members.leave', [50, 60], { list: 'l', member: 'bob', ...unanswered });
    expect(kindsIn(...before, lost, read([61, 62]), read([63, 64], refusal))).toEqual([]);
    expect(kindsIn(...before, lost, read([61, 62], refusal), read([63, 64]))).toEqual([
      'removed member served',
    ]);
  });

  it('takes a change that changed nothing for a read', () => {
    const again = { list: 'l', member: 'bob', version: 1, isChanged: false };
    expect(kindsIn(...before, by('ada', 'members.join', [41, 42], again))).toEqual([]);
    expect(kindsIn(...before, left, by('ada', 'members.join', [61, 62], again))).toEqual([
      'removed member served',
    ]);
    const stranger = { ...again, member: 'eve', version: 0 };
    expect(kindsIn(...before, by('eve', 'members.leave', [41, 42], stranger))).toEqual([]);
  });

  it('finds a removal that the final read on the primary does not show', () => {
    const shows = (isDeleted: boolean) =>
      by('the driver', 'members.read', [90, 91], {
        ...{ target: 'l', isFinal: true },
        items: [{ origin: 'bob', taskId: 'bob', version: 1, value: '', isDeleted }],
      });
    expect(kindsIn(...before, left, shows(false))).toEqual(['lost write']);
    expect(kindsIn(...before, left, shows(true))).toEqual([]);
  });
});
