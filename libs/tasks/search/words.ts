/**
 * The words of a text, as search compares them: the same on every server and locale, because Postgres gets words and never text.
 *
 * - Letters, digits and the marks on them make words. What shows nothing, such as a soft hyphen, is left out; all else separates.
 * - Case, accents and points of vowels do not count (`ΟΔΟΣ` = `οδος`, `naïve` = `naive`), nor the form of a character:
 *   composed, decomposed, of full width, a ligature, a digit of another script (Unicode's NFKD, UAX #15).
 * - Scripts that put no blanks between words (Chinese, Japanese, Korean, Thai, Lao, Khmer, Burmese) make runs of characters,
 *   which search compares two by two, as Lucene's CJKBigramFilter does.
 */
export interface Word {
  /** The characters of a run, each with at most 15 marks; else the word, in pieces of at most 64 characters. */
  readonly parts: readonly string[];
  readonly isRun: boolean;
}

/** To be incremented with each change of what `wordsOf` returns: the words of all tasks are then stored anew. */
export const wordsVersion = 1;

/** Postgres has lexemes of up to 2046 bytes. Whoever types a word as long as this finds it by its pieces. */
const maxPartLength = 64;
/** UTF-16 units of a text once it is decomposed. Those of a description are fewer, but for characters that stand for many others. */
const maxFoldedLength = 65_536;
/** To put marks in order takes the square of their number. Unicode's Stream-Safe Text Format has 30 (UAX #15, 13). */
const manyMarks = /(\p{M}{15})\p{M}+/gu;

export function wordsOf(text: string): Word[] {
  // eslint-disable-next-line no-control-regex -- all of ASCII
  if (/^[\x00-\x7f]*$/.test(text)) return (text.toLowerCase().match(/[a-z0-9]+/g) ?? []).map(spaced);
  return (folded(text).match(/[\p{L}\p{N}][\p{L}\p{N}\p{M}]*/gu) ?? []).flatMap(split);
}

/** Combining diacritics, and points of Hebrew and Arabic. The marks of other scripts are vowels, or make another letter. */
const accents =
  // eslint-disable-next-line no-misleading-character-class -- the marks alone are meant
  /[\u0300-\u036F\u0483-\u0487\u0591-\u05BD\u05BF\u05C1\u05C2\u05C4\u05C5\u05C7\u0610-\u061A\u0640\u064B-\u065F\u0670\u06D6-\u06DC\u06DF-\u06E8\u06EA-\u06ED\u1AB0-\u1AFF\u1DC0-\u1DFF\u20D0-\u20FF\uFE20-\uFE2F]/g;
/** Letters with a stroke and the like, which Unicode does not decompose. */
const plainLetters: Readonly<Record<string, string>> = {
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  đ: 'd',
  ð: 'd',
  ħ: 'h',
  ł: 'l',
  ŧ: 't',
  þ: 'th',
  ς: 'σ',
};
/** Shows nothing, but for the zero-width blank, which separates words. */
const invisible = /(?!\u200B)\p{Default_Ignorable_Code_Point}/gu;
/** Letters by their category, used as apostrophes: `ʼ` as in Ukrainian. */
const apostrophes = /[\u02B9-\u02FF\uA78B\uA78C]/g;
/** Signs that Unicode decomposes into letters, which would become a part of the word before them. */
const signs = /[\u2120\u2122]/g;
/** A letter of its own: `й`, which is decomposed to `и` and a breve. */
const shortI = /([\u0418\u0438])\u0306/g;

function folded(text: string): string {
  const bare = text
    .replace(manyMarks, '$1')
    .replace(signs, ' ')
    .normalize('NFKD')
    .slice(0, maxFoldedLength)
    .replace(shortI, (_, letter: string) => (letter === '\u0418' ? '\u0419' : '\u0439'))
    .replace(accents, '')
    .replace(invisible, '')
    .replace(manyMarks, '$1')
    .replace(apostrophes, ' ');
  // By way of capitals, so that `ß` becomes `ss`, and `ı` the same letter as `I`; before that `ẞ` becomes `ß`.
  return bare
    .toLowerCase()
    .toUpperCase()
    .toLowerCase()
    .replace(/[æœøđðħłŧþς]/g, (letter) => plainLetters[letter] ?? letter)
    .replace(/(?![0-9])\p{Nd}/gu, asciiDigit)
    .normalize('NFC');
}

/** Digits stand in tens, each of which begins with a zero; the character before a zero is no digit, or the nine of other tens. */
function asciiDigit(digit: string): string {
  const code = digit.codePointAt(0) ?? 0;
  let first = code;
  while (/\p{Nd}/u.test(String.fromCodePoint(first - 1))) first--;
  return String((code - first) % 10);
}

const unspaced =
  '[\\p{scx=Han}\\p{scx=Hira}\\p{scx=Kana}\\p{scx=Bopo}\\p{scx=Hang}\\p{scx=Thai}\\p{scx=Laoo}\\p{scx=Khmr}\\p{scx=Mymr}]';
const hasUnspaced = new RegExp(unspaced, 'u');
/** Marks belong to the letter before them, whatever their script. */
const eachStretch = new RegExp(
  `(?<run>(?:(?!\\p{M})${unspaced}\\p{M}*)+)|(?:(?!(?!\\p{M})${unspaced}).)+`,
  'gu',
);

/** Splits a chain of letters where a run begins or ends: `iPhone用ケース`. */
function split(chain: string): Word[] {
  if (!hasUnspaced.test(chain)) return [spaced(chain)];
  return Array.from(chain.matchAll(eachStretch), ([stretch, run]) =>
    run === undefined ? spaced(stretch) : { parts: stretch.match(/\P{M}\p{M}*/gu) ?? [], isRun: true },
  );
}

function spaced(word: string): Word {
  if (word.length <= maxPartLength) return { parts: [word], isRun: false };
  const characters = Array.from(word);
  const parts = Array.from({ length: Math.ceil(characters.length / maxPartLength) }, (_, n) =>
    characters.slice(n * maxPartLength, (n + 1) * maxPartLength).join(''),
  );
  return { parts, isRun: false };
}
