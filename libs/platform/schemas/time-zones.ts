/**
 * IANA names without a slash. Others are left out: ICU also takes old abbreviations, which mean another zone to other software
 * (IST is India here and Israel there).
 */
const plainZones = (
  'UTC GMT UCT Zulu Universal Greenwich CET EET MET WET EST MST HST EST5EDT CST6CDT MST7MDT PST8PDT Cuba Egypt Eire GB GB-Eire ' +
  'Hongkong Iceland Iran Israel Jamaica Japan Kwajalein Libya NZ NZ-CHAT Navajo PRC Poland Portugal ROC ROK Singapore Turkey W-SU'
).split(' ');

/** Aliases that are not written with one capital letter a word. */
const aliases = (
  'Australia/ACT Australia/LHI Australia/NSW Etc/GMT Etc/UCT Etc/UTC Mexico/BajaNorte Mexico/BajaSur Brazil/DeNoronha ' +
  'Chile/EasterIsland America/Knox_IN'
).split(' ');

/** Names as they are written, by their lower case. Aliases are added as they are met; there are about 600 in all. */
const known = new Map(
  [...plainZones, ...aliases, ...Intl.supportedValuesOf('timeZone')].map((name) => [
    name.toLowerCase(),
    name,
  ]),
);

/**
 * The name of a time zone as the IANA writes it; null where there is no such zone. The zones of Node (ICU) are the one source: an
 * alias stays what the user calls it, and its offsets are always looked up here.
 */
export function timeZoneNamed(name: string): string | null {
  const lower = name.toLowerCase();
  const written = known.get(lower);
  if (written !== undefined) return written;
  // Of Java's old names ICU knows some that no other software does.
  if (!name.includes('/') || lower.startsWith('systemv/')) return null;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
  } catch {
    return null;
  }
  const proper = lower.startsWith('etc/gmt') ? `Etc/${name.slice(4).toUpperCase()}` : capitalized(lower);
  known.set(lower, proper);
  return proper;
}

/** Each word of `europe/kyiv`. */
const capitalized = (name: string): string =>
  name.replaceAll(/(^|[/_-])([a-z])/g, (_, before: string, letter: string) => before + letter.toUpperCase());
