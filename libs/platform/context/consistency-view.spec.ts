import { originOf, type Position } from '../positions/position.js';
import { ConsistencyView } from './consistency-view.js';
import type { LastWrite, LastWrites, WriteIntent } from './last-write.js';
import { maxScopes, sharedScope, userScope, type Scope } from './scope.js';

const database = '0123456789abcdef';
const foreign = 'fedcba9876543210';
const origin = originOf(database);
const at = (lsn: number, timeline = 1, id = database): Position =>
  id + timeline.toString(16).padStart(8, '0') + lsn.toString(16).padStart(16, '0');
const known = (position: Position): LastWrite => ({ kind: 'known', position });
const marked: LastWrite = { kind: 'writing' };
const lost: LastWrite = { kind: 'unknown', isSettled: true };
const young: LastWrite = { kind: 'unknown', isSettled: false };
const ada = userScope('ada');
const project = sharedScope('project', 'p1');

interface Given {
  readonly lastWrites?: Readonly<Record<string, LastWrite>> | null;
  readonly shared?: Readonly<Record<string, LastWrite>>;
  readonly missing?: LastWrite;
  readonly minimumPosition?: Position | null;
  readonly isTrusted?: boolean;
  readonly isRising?: boolean;
  readonly isCommitWaiting?: boolean;
  readonly token?: readonly Position[];
}
function viewOf({
  lastWrites = {},
  shared,
  missing = lost,
  minimumPosition = origin,
  isTrusted = true,
  isRising = false,
  isCommitWaiting = false,
  token = [],
}: Given): ConsistencyView {
  const of = (some: Readonly<Record<string, LastWrite>>): LastWrites => ({
    byFeature: new Map(Object.entries(some)),
    missing,
  });
  const all: [Scope, LastWrites][] = [];
  if (lastWrites !== null) all.push([ada, of(lastWrites)]);
  if (shared !== undefined) all.push([project, of(shared)]);
  return new ConsistencyView({
    userId: 'ada',
    databaseOf: () => ({ isTrusted, isRising, isCommitWaiting, minimum: minimumPosition }),
    lastWrites: lastWrites === null ? null : new Map(all),
    token,
  });
}

describe('a read', () => {
  it('needs what the lastWrite says, or the minimumPosition or the token where that is further', () => {
    const lastWrites = { tasks: known(at(5)) };
    const needs = [
      {},
      { minimumPosition: at(7) },
      { token: [at(9)] },
      { minimumPosition: at(2), token: [at(3)] },
    ].map((given) => viewOf({ lastWrites, ...given }).readRequirement('tasks', [ada], true));
    expect(needs).toEqual([5, 7, 9, 5].map((lsn) => ({ kind: 'position', position: at(lsn) })));
  });

  it('goes to the primary while a write is under way or nothing is known, one as far as minimumPosition and token', () => {
    for (const lastWrite of [marked, lost, young]) {
      const view = viewOf({ lastWrites: { tasks: lastWrite }, minimumPosition: at(3), token: [at(9)] });
      expect(view.readRequirement('tasks', [ada], true)).toEqual({ kind: 'primary', position: at(9) });
    }
    expect(viewOf({ minimumPosition: at(3) }).readRequirement('tasks', [ada], true)).toEqual({
      kind: 'primary',
      position: at(3),
    });
  });

  it('goes to the primary without a store, or where the token proves a replica good', () => {
    expect(viewOf({ lastWrites: null }).readRequirement('tasks', [ada], true)).toEqual({
      kind: 'primary',
      position: origin,
    });
    expect(viewOf({ lastWrites: null, token: [at(9)] }).readRequirement('tasks', [ada], true)).toEqual({
      kind: 'position',
      position: at(9),
    });
  });

  it('goes to the primary while the minimum position rises: the store has told more than a token proves', () => {
    const given = { lastWrites: { tasks: known(at(20)) }, isTrusted: false, token: [at(9)] };
    expect(viewOf({ ...given, isRising: true }).readRequirement('tasks', [ada], true).kind).toBe('primary');
    expect(viewOf(given).readRequirement('tasks', [ada], true)).toEqual({
      kind: 'position',
      position: at(9),
    });
  });

  it('is proven nothing by a token where others may have changed what it reads', () => {
    expect(viewOf({ lastWrites: null, token: [at(9)] }).readRequirement('auth', [ada], false).kind).toBe(
      'primary',
    );
    expect(
      viewOf({ lastWrites: { auth: known(at(4)) }, token: [at(9)] }).readRequirement('auth', [ada], false),
    ).toEqual({
      kind: 'position',
      position: at(9),
    });
  });

  it('goes to the primary after a write of the same request, whatever a token said before', () => {
    const view = viewOf({ lastWrites: { tasks: known(at(5)), users: known(at(4)) } });
    view.wrote('tasks', [ada], at(6));
    expect(view.readRequirement('tasks', [ada], true).kind).toBe('primary');
    expect(view.readRequirement('users', [ada], true)).toEqual({ kind: 'position', position: at(4) });
    const alone = viewOf({ lastWrites: null, token: [at(3)] });
    alone.wrote('tasks', [ada], at(6));
    expect(alone.readRequirement('tasks', [ada], true).kind).toBe('primary');
  });

  it('needs a later timeline where the minimumPosition is on one, however short that is', () => {
    const view = viewOf({ lastWrites: { tasks: known(at(500)) }, minimumPosition: at(20, 2) });
    expect(view.readRequirement('tasks', [ada], true)).toEqual({ kind: 'position', position: at(20, 2) });
  });
});

describe('the stamp of a cache entry', () => {
  it('has a position for each feature, none below minimumPosition or token', () => {
    const lastWrites = { tasks: known(at(5)), users: known(at(9)) };
    expect(viewOf({ lastWrites, minimumPosition: at(7) }).versionStampOf(['tasks', 'users'], [ada])).toEqual([
      at(7),
      at(9),
    ]);
    expect(viewOf({ lastWrites, token: [at(8)] }).versionStampOf(['users', 'tasks'], [ada])).toEqual([
      at(9),
      at(8),
    ]);
  });

  it('is none where one of the features is being written, is unknown, or no store is there', () => {
    for (const lastWrite of [marked, lost, young])
      expect(
        viewOf({ lastWrites: { tasks: known(at(5)), users: lastWrite } }).versionStampOf(
          ['tasks', 'users'],
          [ada],
        ),
      ).toBeNull();
    expect(
      viewOf({ lastWrites: { tasks: known(at(5)) } }).versionStampOf(['tasks', 'users'], [ada]),
    ).toBeNull();
    expect(viewOf({ lastWrites: null, token: [at(9)] }).versionStampOf(['tasks'], [ada])).toBeNull();
  });

  it('is for look-ups alone while a commit waits, whose position others may have', () => {
    const lastWrites = { tasks: known(at(5)) };
    const view = viewOf({ lastWrites, isCommitWaiting: true });
    expect(view.versionStampOf(['tasks'], [ada])).toEqual([at(5)]);
    expect(view.mayFill(['tasks'])).toBe(false);
    expect(viewOf({ lastWrites }).mayFill(['tasks'])).toBe(true);
  });

  it('is none after a write of the same request', () => {
    const view = viewOf({ lastWrites: { tasks: known(at(5)) } });
    view.wrote('tasks', [ada], at(6));
    expect(view.versionStampOf(['tasks'], [ada])).toBeNull();
  });
});

describe('what is unknown', () => {
  it('may be settled where no write can be under way unseen', () => {
    const lastWrites = { tasks: known(at(5)), users: marked };
    const unsettled = (view: ConsistencyView) =>
      ['tasks', 'users', 'auth'].filter((feature) => view.unsettled(feature, [ada]).length > 0);
    expect(unsettled(viewOf({ lastWrites }))).toEqual(['auth']);
    expect(unsettled(viewOf({ lastWrites, missing: young }))).toEqual([]);
    expect(unsettled(viewOf({ lastWrites: null }))).toEqual([]);
    expect(unsettled(viewOf({ lastWrites, isTrusted: false }))).toEqual([]);
  });

  it('is known once it was learned', () => {
    const view = viewOf({});
    view.learnOne('tasks', ada, known(at(5)));
    expect(view.unsettled('tasks', [ada])).toEqual([]);
    expect(view.readRequirement('tasks', [ada], true)).toEqual({ kind: 'position', position: at(5) });
  });
});

describe('the intent that came with the request', () => {
  const intent: WriteIntent = { scope: ada, feature: 'tasks', id: 'm1' };
  const wanted = { feature: 'tasks', scope: ada, maxAgeMs: 5000, epoch: 7 };
  const holding = () => {
    const view = viewOf({});
    view.holdIntent(intent, 7);
    return view;
  };

  it('serves one write of its user and feature', () => {
    const view = holding();
    expect(view.takeIntent(wanted)).toEqual({ intent, announcedAt: expect.any(Number) });
    expect(view.takeIntent(wanted)).toBeUndefined();
    expect(view.dropIntent()).toBeUndefined();
  });

  it('serves no other write, and is still there to be taken away', () => {
    const others = [{ feature: 'users' }, { scope: userScope('bob') }, { epoch: 8 }, { maxAgeMs: -1 }];
    for (const other of others) {
      const view = holding();
      expect(view.takeIntent({ ...wanted, ...other })).toBeUndefined();
      expect(view.dropIntent()).toEqual(intent);
      expect(view.dropIntent()).toBeUndefined();
    }
  });
});

it('tells the client the furthest of the positions that its request wrote, and what it knew of other databases', () => {
  const view = viewOf({});
  expect(view.written).toEqual([]);
  view.wrote('tasks', [ada], at(8));
  view.wrote('users', [ada], at(6));
  expect(view.written).toEqual([at(8)]);
  const elsewhere = at(3, 1, foreign);
  const later = viewOf({ token: [at(5), elsewhere] });
  expect(later.proven).toEqual([at(5), elsewhere]);
  later.wrote('tasks', [ada], at(8));
  expect(later.proven).toEqual([at(8), elsewhere]);
});

describe('a position of another database', () => {
  it('is unknown, and may be replaced at once', () => {
    const view = viewOf({ lastWrites: { tasks: known(at(900, 9, foreign)) }, minimumPosition: at(3) });
    expect(view.readRequirement('tasks', [ada], true)).toEqual({ kind: 'primary', position: at(3) });
    expect(view.versionStampOf(['tasks'], [ada])).toBeNull();
    expect(view.unsettled('tasks', [ada])).toEqual([ada]);
  });

  it('in a token proves nothing', () => {
    const token = [at(900, 9, foreign)];
    expect(viewOf({ lastWrites: null, token }).readRequirement('tasks', [ada], true).kind).toBe('primary');
    const lastWrites = { tasks: known(at(5)) };
    expect(viewOf({ lastWrites, token }).versionStampOf(['tasks'], [ada])).toEqual([at(5)]);
  });
});

it('relies on nothing of a database that is not trusted, or that nothing is known of', () => {
  const lastWrites = { tasks: known(at(5)) };
  for (const given of [{ isTrusted: false }, { isTrusted: true, minimumPosition: null }]) {
    const view = viewOf({ lastWrites, ...given });
    expect(view.readRequirement('tasks', [ada], true).kind).toBe('primary');
    expect(view.versionStampOf(['tasks'], [ada])).toBeNull();
  }
});

describe('several scopes', () => {
  it('need the furthest of their positions, and have one each in a stamp', () => {
    const view = viewOf({ lastWrites: { tasks: known(at(5)) }, shared: { tasks: known(at(7)) } });
    expect(view.readRequirement('tasks', [ada, project], true)).toEqual({
      kind: 'position',
      position: at(7),
    });
    expect(view.versionStampOf(['tasks'], [project, ada])).toEqual([at(7), at(5)]);
  });

  it('are unknown where one of them is, and one that the store was not asked about is', () => {
    const view = viewOf({ lastWrites: { tasks: known(at(5)) } });
    expect(view.unasked([ada, project])).toEqual([project]);
    expect(view.readRequirement('tasks', [ada, project], true).kind).toBe('primary');
    expect(view.versionStampOf(['tasks'], [ada, project])).toBeNull();
    expect(view.unsettled('tasks', [ada, project])).toEqual([]);
  });

  it('are proven nothing by a token, which knows the writes of one user', () => {
    const view = viewOf({ lastWrites: null, token: [at(9)] });
    expect(view.readRequirement('tasks', [ada, project], true).kind).toBe('primary');
  });

  it('that a write of the request changed are read from the primary, and only those', () => {
    const view = viewOf({ lastWrites: { tasks: known(at(5)) }, shared: { tasks: known(at(7)) } });
    view.wrote('tasks', [project], at(8));
    expect(view.readRequirement('tasks', [project], true).kind).toBe('primary');
    expect(view.readRequirement('tasks', [ada], true).kind).toBe('position');
  });

  it('are bounded', () => {
    const many = Array.from({ length: maxScopes + 1 }, (_, n) => sharedScope('project', `p${n}`));
    expect(() => viewOf({}).unasked(many)).toThrow('128 scopes at most');
  });
});

it('has names for scopes that can be told apart', () => {
  expect(project).toBe('project:p1');
  for (const [kind, id] of [
    ['Project', 'p1'],
    ['project', ''],
    ['project', 'a b'],
    ['project', 'a}b'],
  ] as const)
    expect(() => sharedScope(kind, id)).toThrow('no name for a scope');
});
