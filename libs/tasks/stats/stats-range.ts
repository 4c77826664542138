import { ValidationFailed } from '../../platform/errors/common-errors.js';
import type { StatsQuery } from './stats.schemas.js';
import { localTime } from './zone-offsets.js';

const defaultDays = 30;
const maxDays = 366;
const dayMs = 86_400_000;

/**
 * First and last day of the series, as dates without time.
 *
 * @throws ValidationFailed where the range is empty or too long
 */
export function rangeOf(
  query: Pick<StatsQuery, 'from' | 'to'>,
  timezone: string,
  now: Date,
): { from: string; to: string } {
  const to = query.to ?? defaultEnd(query.from, localDate(now, timezone));
  const from = query.from ?? addDays(to, 1 - defaultDays);
  const days = countOf(from, to);
  if (days < 1) throw invalidRange('must not be after `to`');
  if (days > maxDays) throw invalidRange(`must be at most ${maxDays - 1} days before \`to\``);
  return { from, to };
}

const countOf = (from: string, to: string): number => (Date.parse(to) - Date.parse(from)) / dayMs + 1;

/** All days of a range, first to last. */
export function daysOf(from: string, to: string): string[] {
  return Array.from({ length: countOf(from, to) }, (_, n) => addDays(from, n));
}

/** Today, or the last day that the range may have, where that is earlier. A range that begins later has the usual length. */
function defaultEnd(from: string | undefined, today: string): string {
  if (from === undefined) return today;
  if (from > today) return addDays(from, defaultDays - 1);
  const latest = addDays(from, maxDays - 1);
  return latest < today ? latest : today;
}

const invalidRange = (message: string) =>
  new ValidationFailed([{ pointer: '/from', code: 'invalid_range', message }]);

const localDate = (time: Date, timeZone: string): string => localTime(time, timeZone).slice(0, 10);

/** Within the years 1 to 9999, in which a date is ten characters long. */
function addDays(date: string, days: number): string {
  const time = Date.parse(date) + days * dayMs;
  return new Date(Math.min(Math.max(time, firstDay), lastDay)).toISOString().slice(0, 10);
}
const firstDay = Date.parse('0001-01-01');
const lastDay = Date.parse('9999-12-31');
