import { lookAfter, readPointOf, type Asked, type Look } from './member-reads.js';
import type { MemberAnswer, Members } from './server-state.js';

const three: Members = { p: 1, s1: 1, s2: 1 };
const at = (lsn: number): string => lsn.toString(16).padStart(16, '0');

/** A standby that has replayed all that it has received, unless told otherwise. */
const answer = (name: string, lsn: number, more: Partial<MemberAnswer> = {}): MemberAnswer => ({
  ...{ standby: true, name, identity: `${name}'s start`, waiting: true, retryMs: 100 },
  ...{ received: at(lsn), replayed: at(lsn), database: '00000000000000db', timeline: 1, members: three },
  ...{ promoted: null, ruleNumber: 1, ruleTimeline: 1 },
  askedAt: 1000,
  ...more,
});
const asked = (one: MemberAnswer, look: Look | null = null): Asked<string> => ({
  server: one.name,
  answer: one,
  look,
});
const pointOf = (...answers: readonly MemberAnswer[]) => readPointOf(answers.map((each) => asked(each)));
const lookAt = (one: MemberAnswer, isEnd: boolean): Look => ({
  ...{ identity: one.identity, received: one.received, replayed: one.replayed, since: 0 },
  isEnd,
});

describe('a read without a primary', () => {
  it('goes to the member that has most, and to all that have as much', () => {
    expect(pointOf(answer('s1', 500), answer('s2', 400))).toEqual({
      position: `00000000000000db00000001${at(500)}`,
      servers: ['s1'],
      promoted: null,
    });
    expect(pointOf(answer('s1', 500), answer('s2', 500))?.servers).toEqual(['s1', 's2']);
  });

  it('goes nowhere while one besides the primary was not asked: it alone may have confirmed a commit', () => {
    expect(pointOf(answer('s2', 500))).toBeNull();
    const members = { ...three, s3: 1 };
    expect(pointOf(answer('s1', 500, { members }), answer('s2', 500, { members }))).toBeNull();
  });

  it('counts who may have confirmed as the member with the most has it: an old list misses a new replica', () => {
    const after = { members: { ...three, s3: 1 } };
    expect(pointOf(answer('s1', 400), answer('s2', 500, after))).toBeNull();
    expect(pointOf(answer('s1', 400), answer('s2', 500, after), answer('s3', 450, after))?.servers).toEqual([
      's2',
    ]);
  });

  it('takes the list of the server with the most also where that is no member any more', () => {
    const after = { members: { p: 1, s1: 1, s3: 1 } };
    expect(pointOf(answer('s1', 400), answer('s2', 500, after))).toBeNull();
    expect(pointOf(answer('s1', 400), answer('s2', 500, { members: null }))).toBeNull();
    expect(pointOf(answer('s1', 400), answer('s2', 500, after), answer('s3', 450, after))?.servers).toEqual([
      's3',
    ]);
  });

  it('goes nowhere where nobody is known to have confirmed', () => {
    for (const members of [null, {}])
      expect(pointOf(answer('s1', 500, { members }), answer('s2', 500, { members }))).toBeNull();
  });

  it('counts no primary, and nothing that is no member, such as a standby of a standby', () => {
    expect(pointOf(answer('s1', 500), answer('s2', 500, { standby: false }))).toBeNull();
    expect(pointOf(answer('s1', 500), answer('cascading', 500), answer('s2', 300))?.servers).toEqual(['s1']);
    expect(pointOf(answer('s1', 500), answer('cascading', 900))).toBeNull();
  });

  it('counts a server once that has two addresses, and none of two servers of one name', () => {
    expect(pointOf(answer('s1', 500), answer('s1', 500))).toBeNull();
    expect(pointOf(answer('s1', 500), answer('s1', 500), answer('s2', 400))?.servers).toEqual(['s1']);
    const namesake = answer('s1', 600, { identity: 'of another server' });
    expect(pointOf(answer('s1', 500), namesake, answer('s2', 400))).toBeNull();
    expect(pointOf(answer('', 500), answer('', 500))).toBeNull();
  });

  it('counts no server of another database', () => {
    expect(pointOf(answer('s1', 500), answer('s2', 400, { database: 'another database' }))).toBeNull();
  });

  it('takes a later timeline for more, however far an earlier one has come', () => {
    const found = pointOf(answer('s1', 500), answer('s2', 300, { timeline: 2 }));
    expect(found).toEqual({
      position: `00000000000000db00000002${at(300)}`,
      servers: ['s2'],
      promoted: null,
    });
  });

  describe('where a member was promoted', () => {
    const promoted = (more: Partial<MemberAnswer> = {}) =>
      answer('s1', 500, { standby: false, promoted: { timeline: 2, written: at(560) }, ...more });

    it('goes there, and to whoever follows it', () => {
      expect(pointOf(promoted(), answer('s2', 500))).toEqual({
        position: `00000000000000db00000002${at(560)}`,
        servers: ['s1'],
        promoted: 's1',
      });
      const both = pointOf(promoted(), answer('s2', 560, { timeline: 2 }));
      expect([both?.servers, both?.promoted]).toEqual([['s1', 's2'], 's1']);
      const follower = pointOf(promoted(), answer('s2', 570, { timeline: 2 }));
      expect([follower?.servers, follower?.promoted]).toEqual([['s2'], null]);
    });

    it('asks the others as before', () => {
      expect(pointOf(promoted())).toBeNull();
    });

    it('goes nowhere while one has more of the timeline before, where somebody may still confirm', () => {
      expect(pointOf(promoted(), answer('s2', 501))).toBeNull();
      const members = { p: 1, a: 1, b: 1, c: 1, d: 1 };
      const five = (name: string, lsn: number, more = {}) => answer(name, lsn, { members, ...more });
      const a = { ...promoted({ members }), name: 'a', identity: 'of a' };
      const c = five('c', 560, { timeline: 2 });
      expect(pointOf(a, c, five('b', 500), five('d', 480))?.servers).toEqual(['a', 'c']);
      for (const all of [
        [a, c],
        [c, a],
      ] as const)
        expect(pointOf(...all, five('b', 620), five('d', 620))).toBeNull();
    });

    it('goes nowhere where two were promoted', () => {
      const other = answer('s2', 400, { standby: false, promoted: { timeline: 2, written: at(580) } });
      expect(pointOf(promoted(), other)).toBeNull();
      expect(pointOf(promoted(), { ...other, promoted: { timeline: 3, written: at(580) } })).toBeNull();
    });

    it('goes nowhere once one shows a rule of the new timeline: its members may be others', () => {
      const changed = { ruleNumber: 2, ruleTimeline: 2 };
      expect(pointOf(promoted(changed), answer('s2', 500))).toBeNull();
      expect(pointOf(promoted(), answer('s2', 560, { timeline: 2, ...changed }))).toBeNull();
      expect(pointOf(promoted({ ruleNumber: null, ruleTimeline: null }), answer('s2', 500))).toBeNull();
    });

    it('does not count it once it was started again: it may show what nobody has confirmed', () => {
      expect(pointOf(promoted({ promoted: null, received: null }), answer('s2', 500))).toBeNull();
    });
  });

  it('goes nowhere while a member has received more than it has replayed, however long that takes', () => {
    const behind = answer('s2', 400, { received: at(500), waiting: false });
    expect(readPointOf([asked(answer('s1', 400)), asked(behind)])).toBeNull();
    expect(readPointOf([asked(answer('s1', 400)), asked(behind, lookAt(behind, false))])).toBeNull();
  });

  it('counts a member whose received WAL ends inside of a record for good', () => {
    const stuck = answer('s2', 400, { received: at(408) });
    const found = readPointOf([asked(answer('s1', 300)), asked(stuck, lookAt(stuck, true))]);
    expect(found?.servers).toEqual(['s2']);
  });

  it('counts a member after its restart only once it has asked for WAL: it may have more on disk', () => {
    expect(pointOf(answer('s1', 500), answer('s2', 400, { received: null }))).toBeNull();
    expect(pointOf(answer('s1', 500), answer('s2', 400, { replayed: null }))).toBeNull();
    // It then begins with the segment in which it is.
    expect(pointOf(answer('s1', 500), answer('s2', 400, { received: at(256) }))?.servers).toEqual(['s1']);
  });
});

describe('the end of the received WAL', () => {
  const stuck = answer('s2', 400, { received: at(408) });
  const first = lookAfter(null, stuck, 1001);

  it('is where the startup process waits at two looks, with a try to get more in between', () => {
    expect(first).toEqual({ ...lookAt(stuck, false), since: 1001 });
    expect(lookAfter(first, { ...stuck, askedAt: 1050 }, 1051)).toMatchObject({ since: 1001, isEnd: false });
    expect(lookAfter(first, { ...stuck, askedAt: 1102 }, 1103)).toMatchObject({ isEnd: true });
  });

  it('is not where it works meanwhile, and stays where it was found', () => {
    const working = { ...stuck, askedAt: 1102, waiting: false };
    expect(lookAfter(first, working, 1103)).toMatchObject({ isEnd: false });
    const end = { ...lookAt(stuck, true), since: 1001 };
    expect(lookAfter(end, working, 1103)).toBe(end);
  });

  it('is looked for anew where more has come, where more was replayed, and after a restart', () => {
    const end = { ...lookAt(stuck, true), since: 1001 };
    for (const other of [{ received: at(416) }, { replayed: at(404) }, { identity: 'a later start' }])
      expect(lookAfter(end, { ...stuck, ...other }, 2000)).toMatchObject({ since: 2000, isEnd: false });
    expect(lookAfter(end, { ...stuck, received: at(416), waiting: false }, 2000)).toBeNull();
  });

  it('is not known of a standby that asks for WAL too rarely', () => {
    const rare = { ...stuck, retryMs: 5000, askedAt: 9000 };
    expect(lookAfter(first, rare, 9001)).toMatchObject({ isEnd: false });
  });
});
