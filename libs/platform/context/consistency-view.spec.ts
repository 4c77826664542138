import { origin, type Position } from '../positions/position.js';
import type { Mark, Note } from '../consistency/consistency-store.port.js';
import { RequestView } from './consistency-view.js';

const at = (lsn: number, timeline = 1): Position =>
  timeline.toString(16).padStart(8, '0') + lsn.toString(16).padStart(16, '0');
const known = (position: Position): Note => ({ kind: 'known', position });
const marked: Note = { kind: 'marked' };
const lost: Note = { kind: 'unknown', isSettled: true };
const young: Note = { kind: 'unknown', isSettled: false };

interface Given {
  readonly notes?: Readonly<Record<string, Note>> | null;
  readonly unnoted?: Note | null;
  readonly floor?: Position;
  readonly token?: Position | null;
}
function viewOf({ notes = {}, unnoted = lost, floor = origin, token = null }: Given): RequestView {
  return new RequestView(
    'ada',
    notes === null ? null : new Map(Object.entries(notes)),
    notes === null ? null : unnoted,
    floor,
    token,
  );
}

describe('a read', () => {
  it('needs what the note says, or the floor or the token where that is further', () => {
    const notes = { tasks: known(at(5)) };
    const needs = [{}, { floor: at(7) }, { token: at(9) }, { floor: at(2), token: at(3) }].map((given) =>
      viewOf({ notes, ...given }).needOf('tasks', true),
    );
    expect(needs).toEqual([5, 7, 9, 5].map((lsn) => ({ kind: 'position', position: at(lsn) })));
  });

  it('goes to the primary while a write is under way or nothing is known, one as far as floor and token', () => {
    for (const note of [marked, lost, young]) {
      const view = viewOf({ notes: { tasks: note }, floor: at(3), token: at(9) });
      expect(view.needOf('tasks', true)).toEqual({ kind: 'primary', position: at(9) });
    }
    expect(viewOf({ floor: at(3) }).needOf('tasks', true)).toEqual({ kind: 'primary', position: at(3) });
  });

  it('goes to the primary without a ledger, or where the token proves a replica good', () => {
    expect(viewOf({ notes: null }).needOf('tasks', true)).toEqual({ kind: 'primary', position: origin });
    expect(viewOf({ notes: null, token: at(9) }).needOf('tasks', true)).toEqual({
      kind: 'position',
      position: at(9),
    });
  });

  it('is proven nothing by a token where others may have changed what it reads', () => {
    expect(viewOf({ notes: null, token: at(9) }).needOf('auth', false).kind).toBe('primary');
    expect(viewOf({ notes: { auth: known(at(4)) }, token: at(9) }).needOf('auth', false)).toEqual({
      kind: 'position',
      position: at(9),
    });
  });

  it('goes to the primary after a write of the same request, whatever a token said before', () => {
    const view = viewOf({ notes: { tasks: known(at(5)), users: known(at(4)) } });
    view.wrote('tasks', at(6));
    expect(view.needOf('tasks', true).kind).toBe('primary');
    expect(view.needOf('users', true)).toEqual({ kind: 'position', position: at(4) });
    const alone = viewOf({ notes: null, token: at(3) });
    alone.wrote('tasks', at(6));
    expect(alone.needOf('tasks', true).kind).toBe('primary');
  });

  it('needs a later timeline where the floor is on one, however short that is', () => {
    const view = viewOf({ notes: { tasks: known(at(500)) }, floor: at(20, 2) });
    expect(view.needOf('tasks', true)).toEqual({ kind: 'position', position: at(20, 2) });
  });
});

describe('the stamp of a cache entry', () => {
  it('has a position for each feature, none below floor or token', () => {
    const notes = { tasks: known(at(5)), users: known(at(9)) };
    expect(viewOf({ notes, floor: at(7) }).stampOf(['tasks', 'users'])).toEqual([at(7), at(9)]);
    expect(viewOf({ notes, token: at(8) }).stampOf(['users', 'tasks'])).toEqual([at(9), at(8)]);
  });

  it('is none where one of the features is being written, is unknown, or no ledger is there', () => {
    for (const note of [marked, lost, young])
      expect(viewOf({ notes: { tasks: known(at(5)), users: note } }).stampOf(['tasks', 'users'])).toBeNull();
    expect(viewOf({ notes: { tasks: known(at(5)) } }).stampOf(['tasks', 'users'])).toBeNull();
    expect(viewOf({ notes: null, token: at(9) }).stampOf(['tasks'])).toBeNull();
  });

  it('is none after a write of the same request', () => {
    const view = viewOf({ notes: { tasks: known(at(5)) } });
    view.wrote('tasks', at(6));
    expect(view.stampOf(['tasks'])).toBeNull();
  });
});

describe('what is unknown', () => {
  it('may be settled where no write can be under way unseen', () => {
    const notes = { tasks: known(at(5)), users: marked };
    expect(viewOf({ notes }).unsettled(['tasks', 'users', 'auth'])).toEqual(['auth']);
    expect(viewOf({ notes, unnoted: young }).unsettled(['tasks', 'users', 'auth'])).toEqual([]);
    expect(viewOf({ notes: null }).unsettled(['auth'])).toEqual([]);
  });

  it('is known once it was learned', () => {
    const view = viewOf({});
    view.learn('tasks', known(at(5)));
    expect(view.unsettled(['tasks'])).toEqual([]);
    expect(view.needOf('tasks', true)).toEqual({ kind: 'position', position: at(5) });
  });
});

describe('the mark that came with the request', () => {
  const mark: Mark = { userId: 'ada', feature: 'tasks', id: 'm1' };
  const wanted = { feature: 'tasks', userId: 'ada', maxAgeMs: 5000, epoch: 7 };
  const holding = () => {
    const view = viewOf({});
    view.holdMark(mark, 7);
    return view;
  };

  it('serves one write of its user and feature', () => {
    const view = holding();
    expect(view.takeMark(wanted)).toEqual(mark);
    expect(view.takeMark(wanted)).toBeUndefined();
    expect(view.dropMark()).toBeUndefined();
  });

  it('serves no other write, and is still there to be taken away', () => {
    const others = [{ feature: 'users' }, { userId: 'bob' }, { epoch: 8 }, { maxAgeMs: -1 }];
    for (const other of others) {
      const view = holding();
      expect(view.takeMark({ ...wanted, ...other })).toBeUndefined();
      expect(view.dropMark()).toEqual(mark);
      expect(view.dropMark()).toBeUndefined();
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
