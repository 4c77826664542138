import { acknowledgement, membersOf, readableUntil } from './commit-rule.js';
import type { CommitRule, Heartbeat, ServerState } from './server-state.js';

const names = 'ANY 1 (s1, s2)';
const settings = { standbyNames: names, level: 'on', rule: 3 };
const rule: CommitRule = { number: 3, standbyNames: names, timeline: 2, primary: 'p', waitsFor: [] };
const heartbeat: Heartbeat = { timeline: 2, ageMs: 200, confirmedMs: 5000, isSinceStart: true };
const primary = (more: Partial<ServerState> = {}): ServerState => ({
  ...{ isStandby: false, position: `00000000000000db00000002${'0'.repeat(16)}`, identity: 'p' },
  ...{ leases: 0, isIdentified: true, name: 'p', standbyNames: names, receives: null, rule, heartbeat },
  ...{ members: { p: 2, s1: 2, s2: 2 }, isCommitWaiting: false, askedAt: 1000, clockAheadMs: 0 },
  ...more,
});
const asynchronous = primary({ standbyNames: '', rule: { ...rule, standbyNames: '' }, members: {} });

describe('the members', () => {
  it('are the standbys that confirm, and the primary', () => {
    expect(membersOf(names, 'p')).toEqual(['s1', 's2', 'p']);
    expect(membersOf('ANY 1 (p, s1, s2)', 'p')).toEqual(['p', 's1', 's2']);
    expect(membersOf('ANY 2 (s1, s2, s3)', 'p')).toEqual(['s1', 's2', 's3', 'p']);
  });

  it('can not be counted where two primaries could each find enough of them', () => {
    expect(membersOf('ANY 1 (s1, s2, s3)', 'p')).toBeNull();
    expect(membersOf('ANY 1 (s1, s2, s3, s4)', 'p')).toBeNull();
  });

  it('can not be counted where they, or the primary, have no names', () => {
    for (const standbyNames of ['', '*', 'ANY 1 (*)', 'FIRST 1 (s1, s2)', 's1'])
      expect(membersOf(standbyNames, 'p')).toBeNull();
    expect(membersOf(names, '')).toBeNull();
  });
});

describe('a commit', () => {
  const isAcknowledged = (state: ServerState, seen = settings, isAutomatic = false) =>
    acknowledgement(state, seen, isAutomatic);

  it('is acknowledged under the settings of the rule', () => {
    expect(isAcknowledged(primary())).toBe('yes');
    expect(isAcknowledged(primary(), { ...settings, level: 'remote_apply' })).toBe('yes');
    expect(isAcknowledged(asynchronous, { standbyNames: '', level: 'off', rule: 3 })).toBe('yes');
  });

  it('is not acknowledged where it was let go because nobody has to confirm any more', () => {
    expect(isAcknowledged(primary(), { ...settings, standbyNames: '' })).toBe('no');
    expect(isAcknowledged(primary({ standbyNames: '' }), { ...settings, standbyNames: '' })).toBe('no');
  });

  it('is not acknowledged under a rule that had been replaced by then, but under a later one', () => {
    expect(isAcknowledged(primary(), { ...settings, rule: 5 })).toBe('no');
    expect(isAcknowledged(primary(), { ...settings, rule: 2 })).toBe('yes');
  });

  it('is not acknowledged before a member of the rule before shows this one', () => {
    expect(isAcknowledged(primary({ rule: { ...rule, waitsFor: ['s1'] } }))).toBe('no');
    expect(isAcknowledged(primary({ rule: null }))).toBe('no');
    expect(isAcknowledged(primary({ rule: { ...rule, timeline: 1 } }))).toBe('no');
  });

  it.each(['off', 'local', 'remote_write'])('is not acknowledged with synchronous_commit %s', (level) => {
    expect(isAcknowledged(primary(), { ...settings, level })).toBe('no');
  });

  it('is in doubt while a member was not seen on this timeline', () => {
    expect(isAcknowledged(primary({ members: { p: 2, s1: 2, s2: 1 } }))).toBe('unknown members');
  });

  it('is not acknowledged on a new timeline within a second, unless the old primary was stopped', () => {
    const early = primary({ heartbeat: { ...heartbeat, confirmedMs: 900 } });
    const first = primary({ heartbeat: { ...heartbeat, confirmedMs: null } });
    const old = primary({ heartbeat: { ...heartbeat, timeline: 1 } });
    for (const state of [early, first, old, primary({ heartbeat: null })]) {
      expect(isAcknowledged(state, settings, true)).toBe('no');
      expect(isAcknowledged(state)).toBe('yes');
    }
    expect(isAcknowledged(primary(), settings, true)).toBe('yes');
  });
});

describe('a primary', () => {
  it('may be read for a second after a heartbeat, less its age when it was asked', () => {
    expect(readableUntil(primary(), true)).toBe(1800);
  });

  it('may be read as long as it answers where the old one was stopped before a promotion', () => {
    expect(readableUntil(primary(), false)).toBe(Infinity);
    expect(readableUntil(asynchronous, false)).toBe(Infinity);
  });

  it('may not be read before a commit was confirmed since its start, or on its timeline', () => {
    for (const more of [null, { ...heartbeat, isSinceStart: false }, { ...heartbeat, timeline: 1 }])
      for (const isAutomatic of [false, true])
        expect(readableUntil(primary({ heartbeat: more }), isAutomatic)).toBe(-Infinity);
  });

  it('may not be read while commits show that nobody is known to have confirmed', () => {
    for (const changing of [primary({ standbyNames: '' }), primary({ rule: { ...rule, waitsFor: ['s1'] } })])
      expect(readableUntil(changing, false)).toBe(-Infinity);
  });

  it('is not proven by a heartbeat of the future: its clock was set back', () => {
    expect(readableUntil(primary({ heartbeat: { ...heartbeat, ageMs: -3000 } }), true)).toBe(-Infinity);
  });

  it('is never proven where commits are asynchronous and nobody stops the old one', () => {
    expect(readableUntil(asynchronous, true)).toBe(-Infinity);
  });
});
