import fc from 'fast-check';
import {
  covers,
  databaseOf,
  isAtLeast,
  isPosition,
  justPast,
  later,
  originOf,
  progressOf,
  timelineOf,
  type Position,
} from './position.js';

const [database, foreign] = ['0123456789abcdef', 'fedcba9876543210'];
const origin = originOf(database);

const at = (timeline: number, lsn: bigint, id = database): Position =>
  id + timeline.toString(16).padStart(8, '0') + lsn.toString(16).padStart(16, '0');

const timelines = fc.integer({ min: 0, max: 0x7fffffff });
// Few different ones, so that equal timelines and LSNs come up as well as the largest.
const somewhere = fc
  .tuple(
    fc.oneof(fc.integer({ min: 0, max: 3 }), timelines),
    fc.oneof(fc.bigInt({ min: 0n, max: 3n }), fc.bigInt({ min: 0n, max: 0x7fffffffffffffffn })),
  )
  .map(([timeline, lsn]) => ({ timeline, lsn, position: at(timeline, lsn) }));

describe('a position', () => {
  it('is covered by the one just past it, which is the next LSN of its timeline and database', () => {
    fc.assert(
      fc.property(somewhere, ({ timeline, lsn, position }) => {
        expect(justPast(position)).toBe(at(timeline, lsn + 1n));
        expect(covers(justPast(position), position)).toBe(true);
        expect(covers(position, justPast(position))).toBe(false);
      }),
    );
  });

  it('covers another exactly where neither its timeline nor its LSN is behind', () => {
    fc.assert(
      fc.property(somewhere, somewhere, (reached, needed) => {
        const isThere = reached.timeline >= needed.timeline && reached.lsn >= needed.lsn;
        expect(covers(reached.position, needed.position)).toBe(isThere);
      }),
    );
  });

  it('that covers a second one covers what that one covers', () => {
    fc.assert(
      fc.property(somewhere, somewhere, somewhere, (a, b, c) => {
        fc.pre(covers(a.position, b.position) && covers(b.position, c.position));
        expect(covers(a.position, c.position)).toBe(true);
      }),
    );
  });

  it('of a later timeline is later, wherever that timeline began', () => {
    expect(later(at(2, 10n), at(1, 0xffffffffffn))).toBe(at(2, 10n));
    expect(later(at(10, 0n), at(9, 0n))).toBe(at(10, 0n));
    expect(later(at(1, 10n), at(1, 9n))).toBe(at(1, 10n));
  });

  it('on a new timeline does not cover what lies beyond its LSN on the old one', () => {
    expect(covers(at(2, 10n), at(1, 11n))).toBe(false);
    expect(covers(at(2, 11n), at(1, 11n))).toBe(true);
    expect(covers(at(1, 11n), at(2, 10n))).toBe(false);
  });

  it('is later than another in the same order, whichever is named first', () => {
    fc.assert(
      fc.property(somewhere, somewhere, ({ position: a }, { position: b }) => {
        const last = later(a, b);
        expect(later(b, a)).toBe(last);
        expect([a, b]).toContain(last);
        expect(later(last, a)).toBe(last);
      }),
    );
  });

  it('is never before the origin', () => {
    fc.assert(
      fc.property(somewhere, ({ position, timeline }) => {
        expect(covers(position, origin)).toBe(true);
        expect(timelineOf(position)).toBe(timeline);
        expect(isPosition(position)).toBe(true);
      }),
    );
  });

  it('has no order with one of another database', () => {
    fc.assert(
      fc.property(somewhere, somewhere, ({ position: a }, { timeline, lsn }) => {
        const other = at(timeline, lsn, foreign);
        expect([covers(a, other), covers(other, a), isAtLeast(a, other), isAtLeast(other, a)]).not.toContain(
          true,
        );
        expect(() => later(a, other)).toThrow('no order');
      }),
    );
  });

  it('consists of the id of its database and of what that has reached', () => {
    const position = at(2, 10n);
    expect([databaseOf(position), progressOf(position)]).toEqual([database, '00000002000000000000000a']);
  });

  it('is 40 hex digits in lower case and nothing else', () => {
    for (const text of [
      '',
      at(1, 1n).slice(1),
      `${at(1, 1n)}0`,
      `${origin}\n`,
      'A'.repeat(40),
      origin.slice(16),
      '0/1A2B',
    ])
      expect(isPosition(text)).toBe(false);
  });
});
