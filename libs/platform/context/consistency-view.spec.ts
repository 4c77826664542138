import { origin, type Position } from '../positions/position.js';
import type { LastWrite, WriteIntent } from './last-write.js';
import { ConsistencyView } from './consistency-view.js';

const at = (lsn: number, timeline = 1): Position =>
  timeline.toString(16).padStart(8, '0') + lsn.toString(16).padStart(16, '0');
const known = (position: Position): LastWrite => ({ kind: 'known', position });
const marked: LastWrite = { kind: 'writing' };
const lost: LastWrite = { kind: 'unknown', isSettled: true };
const young: LastWrite = { kind: 'unknown', isSettled: false };

interface Given {
  readonly lastWrites?: Readonly<Record<string, LastWrite>> | null;
  readonly missing?: LastWrite | null;
  readonly minimumPosition?: Position;
  readonly token?: Position | null;
}
function viewOf({
  lastWrites = {},
  missing = lost,
  minimumPosition = origin,
  token = null,
}: Given): ConsistencyView {
  return new ConsistencyView(
    'ada',
    lastWrites === null ? null : new Map(Object.entries(lastWrites)),
    lastWrites === null ? null : missing,
    minimumPosition,
    token,
  );
}

describe('a read', () => {
  it('needs what the lastWrite says, or the minimumPosition or the token where that is further', () => {
    const lastWrites = { tasks: known(at(5)) };
    const needs = [
      {},
      { minimumPosition: at(7) },
      { token: at(9) },
      { minimumPosition: at(2), token: at(3) },
    ].map((given) => viewOf({ lastWrites, ...given }).readRequirement('tasks', true));
    expect(needs).toEqual([5, 7, 9, 5].map((lsn) => ({ kind: 'position', position: at(lsn) })));
  });

  it('goes to the primary while a write is under way or nothing is known, one as far as minimumPosition and token', () => {
    for (const lastWrite of [marked, lost, young]) {
      const view = viewOf({ lastWrites: { tasks: lastWrite }, minimumPosition: at(3), token: at(9) });
      expect(view.readRequirement('tasks', true)).toEqual({ kind: 'primary', position: at(9) });
    }
    expect(viewOf({ minimumPosition: at(3) }).readRequirement('tasks', true)).toEqual({
      kind: 'primary',
      position: at(3),
    });
  });

  it('goes to the primary without a store, or where the token proves a replica good', () => {
    expect(viewOf({ lastWrites: null }).readRequirement('tasks', true)).toEqual({
      kind: 'primary',
      position: origin,
    });
    expect(viewOf({ lastWrites: null, token: at(9) }).readRequirement('tasks', true)).toEqual({
      kind: 'position',
      position: at(9),
    });
  });

  it('is proven nothing by a token where others may have changed what it reads', () => {
    expect(viewOf({ lastWrites: null, token: at(9) }).readRequirement('auth', false).kind).toBe('primary');
    expect(
      viewOf({ lastWrites: { auth: known(at(4)) }, token: at(9) }).readRequirement('auth', false),
    ).toEqual({
      kind: 'position',
      position: at(9),
    });
  });

  it('goes to the primary after a write of the same request, whatever a token said before', () => {
    const view = viewOf({ lastWrites: { tasks: known(at(5)), users: known(at(4)) } });
    view.wrote('tasks', at(6));
    expect(view.readRequirement('tasks', true).kind).toBe('primary');
    expect(view.readRequirement('users', true)).toEqual({ kind: 'position', position: at(4) });
    const alone = viewOf({ lastWrites: null, token: at(3) });
    alone.wrote('tasks', at(6));
    expect(alone.readRequirement('tasks', true).kind).toBe('primary');
  });

  it('needs a later timeline where the minimumPosition is on one, however short that is', () => {
    const view = viewOf({ lastWrites: { tasks: known(at(500)) }, minimumPosition: at(20, 2) });
    expect(view.readRequirement('tasks', true)).toEqual({ kind: 'position', position: at(20, 2) });
  });
});

describe('the stamp of a cache entry', () => {
  it('has a position for each feature, none below minimumPosition or token', () => {
    const lastWrites = { tasks: known(at(5)), users: known(at(9)) };
    expect(viewOf({ lastWrites, minimumPosition: at(7) }).versionStampOf(['tasks', 'users'])).toEqual([
      at(7),
      at(9),
    ]);
    expect(viewOf({ lastWrites, token: at(8) }).versionStampOf(['users', 'tasks'])).toEqual([at(9), at(8)]);
  });

  it('is none where one of the features is being written, is unknown, or no store is there', () => {
    for (const lastWrite of [marked, lost, young])
      expect(
        viewOf({ lastWrites: { tasks: known(at(5)), users: lastWrite } }).versionStampOf(['tasks', 'users']),
      ).toBeNull();
    expect(viewOf({ lastWrites: { tasks: known(at(5)) } }).versionStampOf(['tasks', 'users'])).toBeNull();
    expect(viewOf({ lastWrites: null, token: at(9) }).versionStampOf(['tasks'])).toBeNull();
  });

  it('is none after a write of the same request', () => {
    const view = viewOf({ lastWrites: { tasks: known(at(5)) } });
    view.wrote('tasks', at(6));
    expect(view.versionStampOf(['tasks'])).toBeNull();
  });
});

describe('what is unknown', () => {
  it('may be settled where no write can be under way unseen', () => {
    const lastWrites = { tasks: known(at(5)), users: marked };
    expect(viewOf({ lastWrites }).unsettled(['tasks', 'users', 'auth'])).toEqual(['auth']);
    expect(viewOf({ lastWrites, missing: young }).unsettled(['tasks', 'users', 'auth'])).toEqual([]);
    expect(viewOf({ lastWrites: null }).unsettled(['auth'])).toEqual([]);
  });

  it('is known once it was learned', () => {
    const view = viewOf({});
    view.learn('tasks', known(at(5)));
    expect(view.unsettled(['tasks'])).toEqual([]);
    expect(view.readRequirement('tasks', true)).toEqual({ kind: 'position', position: at(5) });
  });
});

describe('the intent that came with the request', () => {
  const intent: WriteIntent = { userId: 'ada', feature: 'tasks', id: 'm1' };
  const wanted = { feature: 'tasks', userId: 'ada', maxAgeMs: 5000, epoch: 7 };
  const holding = () => {
    const view = viewOf({});
    view.holdIntent(intent, 7);
    return view;
  };

  it('serves one write of its user and feature', () => {
    const view = holding();
    expect(view.takeIntent(wanted)).toEqual(intent);
    expect(view.takeIntent(wanted)).toBeUndefined();
    expect(view.dropIntent()).toBeUndefined();
  });

  it('serves no other write, and is still there to be taken away', () => {
    const others = [{ feature: 'users' }, { userId: 'bob' }, { epoch: 8 }, { maxAgeMs: -1 }];
    for (const other of others) {
      const view = holding();
      expect(view.takeIntent({ ...wanted, ...other })).toBeUndefined();
      expect(view.dropIntent()).toEqual(intent);
      expect(view.dropIntent()).toBeUndefined();
    }
  });
});

it('tells the client the furthest of the positions that its request wrote', () => {
  const view = viewOf({});
  expect(view.written).toBeNull();
  view.wrote('tasks', at(8));
  view.wrote('users', at(6));
  expect(view.written).toBe(at(8));
});
