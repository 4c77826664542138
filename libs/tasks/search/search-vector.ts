import { wordsOf } from './words.js';

/** What a task is searched by. */
export interface Searched {
  readonly title: string;
  readonly description: string;
  readonly tags: readonly string[];
}

/**
 * Lexemes have the weight of their part, and positions that no other part has or follows: so each part can be replaced by itself. Of a
 * lexeme Postgres stores 256 positions of all parts together.
 */
const parts = {
  title: { weight: 'A', from: 15_001, to: 16_381, maxPositions: 56 },
  description: { weight: 'B', from: 1, to: 14_999, maxPositions: 200 },
  tags: { weight: 'C', from: 16_383, to: 16_383 },
} as const;

/** More than a description has characters. Only those that stand for several others, such as `㍿`, make more words. */
const maxLexemes = 20_000;

/**
 * The mark of a user, which stands before each lexeme: a search then reads the index entries of its user alone (ADR 5). Users may
 * share a mark (32 bits), so queries ask for the user besides.
 */
export const markOf = (userId: string): string => userId.slice(-8).toLowerCase();

/**
 * The lexeme of a text in which not all positions of all words could be stored: its phrases are found by their words alone. No word has a
 * sign in it.
 */
export const overflowOf = (mark: string): string => `${mark}!`;

/** The search vector of the given parts as text, for `::tsvector`. */
export function searchVector(userId: string, searched: Partial<Searched>): string {
  const mark = markOf(userId);
  const { title, description, tags } = searched;
  return [
    ...(title === undefined ? [] : [vectorOf(mark, title, parts.title)]),
    ...(description === undefined ? [] : [vectorOf(mark, description, parts.description)]),
    ...(tags ?? []).map((tag) => `${quoted(`${mark}#${tag}`)}:${parts.tags.from}C`),
  ].join(' ');
}

/** The lexemes of a vector of which the given parts are left out, as SQL. */
export function otherParts(vector: string, replaced: readonly (keyof Searched)[]): string {
  const others = Object.entries(parts).filter(([part]) => !replaced.includes(part as keyof Searched));
  return `ts_filter(${vector}, '{${others.map(([, { weight }]) => weight).join()}}')::text`;
}

type Part = (typeof parts)['title' | 'description'];

function vectorOf(mark: string, text: string, { weight, from, to, maxPositions }: Part): string {
  const found = new Map<string, string[]>();
  let place: number = from;
  let isOverflow = false;
  for (const lexeme of lexemesOf(text)) {
    const position = `${Math.min(place, to)}${weight}`;
    const positions = found.get(lexeme);
    if (positions === undefined) found.set(lexeme, [position]);
    else if (positions.length < maxPositions) positions.push(position);
    else isOverflow = true;
    if (++place === from + maxLexemes) break;
  }
  const lexemes = [...found].map(([lexeme, positions]) => `'${mark}:${lexeme}':${positions.join()}`);
  if (isOverflow || place > to + 1) lexemes.push(`'${overflowOf(mark)}':${to}${weight}`);
  return lexemes.join(' ');
}

/** A run has its characters two by two, and then the last one: by the beginning of a lexeme a single character is found, too. */
function* lexemesOf(text: string): Iterable<string> {
  for (const { parts: all, isRun } of wordsOf(text)) {
    if (!isRun) yield* all;
    else for (const [n, character] of all.entries()) yield character + (all[n + 1] ?? '');
  }
}

/** Only tags hold what has to be quoted: words are letters and digits. */
const quoted = (lexeme: string): string => `'${lexeme.replace(/['\\]/g, '$&$&')}'`;
