import { LRUCache } from 'lru-cache';

const dayMs = 86_400_000;
/** In every zone within the years 1 to 9999, whose dates have one form. */
const firstTime = Date.parse('0001-01-02T00:00:00Z');
const lastTime = Date.parse('9999-12-30T23:59:59Z');

/** How far a time zone is from UTC, from when on: both lists are equally long, and the first time is before all others. */
export interface ZoneOffsets {
  readonly from: readonly string[];
  /** As Postgres reads an interval. */
  readonly offsets: readonly string[];
}

interface TimeRange {
  readonly begin: number;
  readonly end: number;
}

/** Making one takes longer than all else in this file. Clients make up names in any case, so only some are kept. */
const formats = new LRUCache<string, Intl.DateTimeFormat>({ max: 50 });
/** The zones of most calls and their usual ranges. To find the offsets of a year takes about a millisecond. */
const known = new LRUCache<string, ZoneOffsets>({ max: 500 });

/** Date and time in the zone, such as `2026-11-30 09:54:15`. Years before 1000 have fewer digits. */
export function localTime(time: number | Date, timeZone: string): string {
  let format = formats.get(timeZone);
  if (format === undefined) {
    // Swedish dates have the form of ISO 8601.
    format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' });
    formats.set(timeZone, format);
  }
  return format.format(time);
}

/**
 * The offsets of a zone in all days from `from` to `to`, two days around them, and three around `now`. Postgres gets these and
 * not the name of the zone: its copy of the time zones is another one, often without the older names that browsers send.
 *
 * @throws RangeError where there is no such zone
 */
export function zoneOffsets(timeZone: string, from: string, to: string, now: Date): ZoneOffsets {
  const today = Math.floor(now.getTime() / dayMs) * dayMs;
  const key = `${timeZone} ${from} ${to} ${today}`;
  const found = known.get(key);
  if (found !== undefined) return found;
  const ranges = mergedRanges([
    { begin: Date.parse(from) - 3 * dayMs, end: Date.parse(to) + 4 * dayMs },
    { begin: today - 3 * dayMs, end: today + 4 * dayMs },
  ]);
  const steps = ranges.flatMap((range) => stepsOf(timeZone, range));
  const offsets: ZoneOffsets = {
    from: steps.map(({ time }, n) => (n === 0 ? '-infinity' : new Date(time).toISOString())),
    offsets: steps.map(({ offset }) => `${offset} seconds`),
  };
  known.set(key, offsets);
  return offsets;
}

/** In their order. Two that overlap are one: a time has one place among the steps. */
function mergedRanges(ranges: readonly TimeRange[]): readonly TimeRange[] {
  const merged: TimeRange[] = [];
  for (const range of ranges.toSorted((a, b) => a.begin - b.begin)) {
    const last = merged.at(-1);
    if (last === undefined || range.begin > last.end) merged.push(range);
    else merged[merged.length - 1] = { begin: last.begin, end: Math.max(last.end, range.end) };
  }
  return merged;
}

/** Where the range begins, and each time at which the offset changes. No zone changed it twice in a day. */
function stepsOf(timeZone: string, range: TimeRange): { readonly time: number; readonly offset: number }[] {
  const begin = Math.max(range.begin, firstTime);
  const end = Math.min(range.end, lastTime);
  const steps = [{ time: begin, offset: offsetAt(begin, timeZone) }];
  for (let day = begin; day < end; day += dayMs) {
    const next = Math.min(day + dayMs, end);
    const before = steps.at(-1)?.offset;
    const offset = offsetAt(next, timeZone);
    if (offset !== before) steps.push({ time: changeBetween(day, next, timeZone), offset });
  }
  return steps;
}

/** The first second of the offset that the zone has at `end`. */
function changeBetween(begin: number, end: number, timeZone: string): number {
  const offset = offsetAt(end, timeZone);
  let [before, after] = [begin, end];
  while (after - before > 1000) {
    const middle = before + Math.floor((after - before) / 2000) * 1000;
    if (offsetAt(middle, timeZone) === offset) after = middle;
    else before = middle;
  }
  return after;
}

/** Seconds, of a time without milliseconds. */
function offsetAt(time: number, timeZone: string): number {
  const [date = '', clock = ''] = localTime(time, timeZone).split(' ');
  return (Date.parse(`${date.padStart(10, '0')}T${clock}Z`) - time) / 1000;
}
