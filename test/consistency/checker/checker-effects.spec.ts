import { check } from './checker.js';
import type { Operation } from './history.js';
import { list, operation as op, refused, unanswered } from './operation-fixture.js';

const kindsIn = (...operations: readonly Operation[]) => check(operations).map(({ kind }) => kind);

const task = { target: 't' };
const created = op('create', [0, 10], { ...task, version: 1 });
const patched = op('patch', [20, 30], { ...task, version: 2 });

describe('having one effect', () => {
  it('finds two tasks under one Idempotency-Key', () => {
    const tries = [1, 2].map((n) =>
      op('create', [10 * n, 10 * n + 5], { ...task, group: 'k', version: 1, taskId: `id ${n}` }),
    );
    expect(kindsIn(...tries)).toEqual(['duplicated effect']);
    expect(kindsIn(...tries.map((each) => ({ ...each, taskId: 'id' })))).toEqual([]);
  });

  it('finds a duplicate of a task in a list', () => {
    const twins = { ...list([20, 21], { t: 1 }), isWhole: true };
    const items = [...(twins.items ?? []), { origin: 't', taskId: 'twin', version: 1, value: 't at 1' }];
    expect(kindsIn(created, { ...twins, items })).toEqual(['duplicated effect']);
    expect(kindsIn(created, twins)).toEqual([]);
  });

  it('accepts a stored response that is older than later writes', () => {
    const first = op('create', [0, 10], { ...task, group: 'k', ...unanswered });
    const replay = op('create', [40, 50], { ...task, group: 'k', version: 1, isReplay: true });
    expect(kindsIn(first, list([15, 16], { t: 1 }), patched, replay)).toEqual([]);
  });

  it('finds a version that no known write can have made', () => {
    expect(kindsIn(created, patched, op('get', [40, 41], { ...task, version: 3 }))).toEqual([
      'duplicated effect',
    ]);
    const another = op('patch', [40.5, 50], { ...task, ...unanswered });
    expect(kindsIn(created, patched, another, op('get', [40, 41], { ...task, version: 3 }))).toEqual([]);
  });

  it('finds a refresh token that was exchanged twice, or refused to its only user', () => {
    const first = op('refresh', [0, 10], { group: 'r' });
    const second = op('refresh', [0, 10], { group: 'r' });
    const superseded = refused(409, 'refresh_superseded');
    expect(kindsIn(first, second)).toEqual(['duplicated effect']);
    expect(kindsIn(first, { ...second, ...superseded })).toEqual([]);
    expect(kindsIn({ ...second, ...superseded })).toEqual(['duplicated effect']);
  });
});

describe('ending sessions', () => {
  const login = op('login', [0, 10], { target: '1', opened: 's' });
  const other = op('login', [0, 10], { target: '1', opened: 'other' });
  const registered = op('register', [-2, -1]);
  const use = (times: readonly [number, number], details: Partial<Operation> = {}) =>
    op('profile.get', times, { session: 's', status: 200, ...details });

  it.each<[string, Operation]>([
    ['logout', op('logout', [20, 30], { session: 's', status: 204 })],
    ['logout.all', op('logout.all', [20, 30], { session: 'other', status: 204 })],
    ['sessions.end', op('sessions.end', [20, 30], { session: 'other', target: 's', status: 204 })],
    ['password.change', op('password.change', [20, 30], { session: 'other', target: '2', status: 204 })],
  ])('finds a token that is accepted after %s', (_, revocation) => {
    const before = [registered, login, other, revocation];
    expect(kindsIn(...before, use([31, 32]))).toEqual(['revoked token accepted']);
    expect(kindsIn(...before, use([31, 32], refused(404)))).toEqual(['revoked token accepted']);
    expect(kindsIn(...before, use([31, 32], refused(401)))).toEqual([]);
    expect(kindsIn(...before, use([29, 32]))).toEqual([]);
  });

  it('expects the session that changed the password to stay valid', () => {
    const change = op('password.change', [20, 30], { session: 's', target: '2', status: 204 });
    expect(kindsIn(registered, login, change, use([31, 32]))).toEqual([]);
    expect(kindsIn(registered, login, change, use([31, 32], refused(401)))).toEqual(['stale read']);
  });

  it('accepts either outcome for a login that overlapped the end of all sessions', () => {
    const all = op('logout.all', [5, 30], { session: 'older', status: 204 });
    expect(kindsIn(registered, login, all, use([31, 32]))).toEqual([]);
    expect(kindsIn(registered, login, all, use([31, 32], refused(401)))).toEqual([]);
  });

  it('finds a token that is accepted after it was refused', () => {
    const all = op('logout.all', [20, 30], { session: 'other', ...unanswered });
    const refusal = use([31, 32], refused(401));
    expect(kindsIn(registered, login, other, all, refusal, use([33, 34]))).toEqual([
      'revoked token accepted',
    ]);
    expect(kindsIn(registered, login, other, all, use([31, 32]), use([33, 34], refused(401)))).toEqual([]);
  });

  it('finds a session that is refused though nobody ended it', () => {
    expect(kindsIn(registered, login, use([11, 12], refused(401)))).toEqual(['stale read']);
  });

  it('finds a list without a valid session', () => {
    const shown = op('sessions.list', [11, 12], { session: 's', status: 200, items: [], isWhole: true });
    expect(kindsIn(registered, login, shown)).toEqual(['stale read']);
    expect(kindsIn(registered, login, { ...shown, isWhole: false })).toEqual([]);
  });

  it('accepts that the late second use of a refresh token ends its session', () => {
    const uses = [op('refresh', [20, 21], { session: 's', group: 'r', status: 200 })];
    const late = op('refresh', [20, 40], { session: 's', group: 'r', ...unanswered });
    expect(kindsIn(registered, login, ...uses, late, use([41, 42], refused(401)))).toEqual([]);
  });
});

it('finds responses that are wrong in themselves', () => {
  expect(kindsIn(op('get', [0, 1], { ...task, ...refused(500), problem: 'a 500' }))).toEqual([
    'broken answer',
  ]);
});
