/**
 * Replaces what differs between two runs of the same test by placeholders: ids, tokens, cursors, ports, current times,
 * random parts of names. Values that the test chose itself, such as a due date in 2030, stay.
 */
export function withPlaceholders(value: unknown, name = ''): unknown {
  if (typeof value === 'string') return inText(value, name);
  if (Array.isArray(value)) return value.map((each) => withPlaceholders(each, name));
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).map(([key, each]) => [inText(key), withPlaceholders(each, key)]);
  return Object.fromEntries(members) as unknown;
}

const maxLength = 2000;
const dayMs = 86_400_000;

/** Headers and members whose values differ in each run, whatever their form. */
const byName: Readonly<Record<string, (text: string) => string>> = {
  'content-length': () => '<length>',
  'consistency-token': () => '<token>',
  date: (text) => (text.includes('GMT') ? '<date>' : ofNow(text, 32)),
  etag: withoutHashes,
  // The end of a session, thirty days ahead.
  expires_at: (text) => ofNow(text, 32),
  'if-match': withoutHashes,
  'if-none-match': withoutHashes,
  ratelimit: withoutNumbers,
  'retry-after': withoutNumbers,
  traceparent: () => '<trace>',
  next_cursor: () => '<cursor>',
};

/** The order matters: parts of a token look like other values. */
const patterns: readonly (readonly [RegExp, string | ((match: string) => string)])[] = [
  [/eyJ[\w-]*\.[\w-]*\.[\w-]*/g, '<jwt>'],
  [/(?<=[?&]cursor=)[\w-]{6,}/g, '<cursor>'],
  [/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi, '<uuid>'],
  [/(?<![\w-])[\w-]{43}(?![\w-])/g, '<secret>'],
  // The winner of several concurrent requests.
  [/(?<=^(Patch|Ada|Round) )\d+$/g, '<n>'],
  // A random name, possibly without its last letter.
  [/[0-9a-f]{15,}/gi, '<random>'],
  [/(?<=127\.0\.0\.1:)\d+/g, '<port>'],
  [/\d{4}-\d\d-\d\dT\d\d(:|%3A)\d\d(:|%3A)\d\d[.\d]*/g, (text) => ofNow(text, 3)],
];

function inText(text: string, name = ''): string {
  const named = byName[name.toLowerCase()]?.(text) ?? text;
  // Shortened first, because a run of letters can have the length of an identifier.
  const short = named.length > maxLength ? `${named.slice(0, 100)}… (${named.length} characters)` : named;
  return patterns.reduce(
    (result, [pattern, by]) =>
      typeof by === 'string' ? result.replace(pattern, by) : result.replace(pattern, by),
    short,
  );
}

/** Replaces a time that is at most so many days from now by a placeholder of its format. */
function ofNow(text: string, days: number): string {
  const distance = Math.abs(Date.parse(decodeURIComponent(text)) - Date.now());
  return distance <= days * dayMs ? text.replaceAll(/\d/g, '0') : text;
}

/** Keeps an ETag that contains a version. */
function withoutHashes(text: string): string {
  return text.replaceAll(/"[^"]*"/g, (tag) => (/^"(\d{1,4}|other)"$/.test(tag) ? tag : '"<hash>"'));
}

function withoutNumbers(text: string): string {
  return text.replaceAll(/\d+/g, '<n>');
}
