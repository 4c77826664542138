import { markOf, overflowOf } from './search-vector.js';
import { wordsOf, type Word } from './words.js';

/** Words that stand one after the other: what is between two blanks, or in quotes. */
export interface Term {
  readonly words: readonly Word[];
  /** Its last word may be the beginning of one. */
  readonly isPrefix: boolean;
}

/** A task matches where it has all `terms` and none of `excluded`. There is at least one term. */
export interface Alternative {
  readonly terms: readonly Term[];
  readonly excluded: readonly Term[];
}

interface Operand extends Term {
  readonly isExcluded: boolean;
  /** It is the word `or`, which may be an operator. */
  readonly isOr: boolean;
}

/**
 * What a query looks for. Between blanks: words; `"…"`: words that stand so; `or` between two of those: either side; a minus before
 * one: must not be there. The last word, unless it is quoted or excluded, may be the beginning of one, because people search as they
 * type. An alternative without a term finds nothing, as an empty array does.
 */
export function alternativesOf(q: string): Alternative[] {
  const alternatives: { terms: Term[]; excluded: Term[] }[] = [{ terms: [], excluded: [] }];
  const operands = operandsOf(q);
  let isAfterOperand = false;
  for (const [n, { isOr, isExcluded, words, isPrefix }] of operands.entries()) {
    const isOperator: boolean = isOr && isAfterOperand && n < operands.length - 1;
    isAfterOperand = !isOperator;
    const current = alternatives.at(-1);
    if (isOperator) alternatives.push({ terms: [], excluded: [] });
    else (isExcluded ? current?.excluded : current?.terms)?.push({ words, isPrefix });
  }
  return alternatives.filter(({ terms }) => terms.length > 0);
}

/** A quote that is not closed holds the rest: someone is still typing it. */
const eachOperand = /(?<minus>-)?"(?<quoted>[^"]*)(?<end>"|$)|(?<bare>[^\s"]+)/g;

function operandsOf(q: string): Operand[] {
  const operands: Operand[] = [];
  const matches = [...q.replace(/[“”„‟«»]/g, '"').matchAll(eachOperand)];
  for (const { groups = {} } of matches) {
    const { minus, quoted, end, bare = '' } = groups;
    const words = wordsOf(quoted ?? bare);
    if (words.length === 0) continue;
    const isExcluded = quoted === undefined ? bare.startsWith('-') : minus !== undefined;
    const isPrefix = !isExcluded && end !== '"';
    operands.push({ words, isExcluded, isPrefix, isOr: quoted === undefined && /^or$/i.test(bare) });
  }
  return operands.map((operand, n) => ({
    ...operand,
    isPrefix: operand.isPrefix && n === operands.length - 1,
  }));
}

/** How a lexeme must be there: of any part and whole, unless this says something else. */
export interface Match {
  readonly isInTitle?: boolean;
  readonly isWhole?: boolean;
}

/** The tsquery of the alternatives of a user, as text. */
export function searchQuery(userId: string, alternatives: readonly Alternative[]): string {
  return alternatives
    .map(({ terms, excluded }) =>
      [
        ...terms.map((term) => termQuery(userId, term)),
        ...excluded.map((term) => `!${termQuery(userId, term)}`),
      ].join(' & '),
    )
    .join(' | ');
}

/** The tsquery of one term of a user, as text. */
export function termQuery(
  userId: string,
  { words, isPrefix }: Term,
  { isInTitle = false, isWhole = false }: Match = {},
): string {
  const mark = markOf(userId);
  const sought = soughtBy({ words, isPrefix: isPrefix && !isWhole });
  const weight = isInTitle ? 'A' : '';
  const lexemes = sought.map(({ lexeme, isBeginning }) =>
    quoted(`${mark}:${lexeme}`, (isBeginning ? '*' : '') + weight),
  );
  if (lexemes.length === 1) return lexemes.join('');
  const phrase = lexemes.map((lexeme, n) => (n === 0 ? lexeme : `<${sought[n]?.distance ?? 1}> ${lexeme}`));
  return `(${phrase.join(' ')} | ${[...lexemes, quoted(overflowOf(mark), weight)].join(' & ')})`;
}

/** The tsquery of all words of the terms of a user, of which a task has any, as text. */
export function anyWordQuery(userId: string, terms: readonly Term[]): string {
  const mark = markOf(userId);
  const sought = terms.flatMap(soughtBy);
  return sought
    .map(({ lexeme, isBeginning }) => quoted(`${mark}:${lexeme}`, isBeginning ? '*' : ''))
    .join(' | ');
}

const quoted = (lexeme: string, flags: string): string => `'${lexeme}'${flags === '' ? '' : `:${flags}`}`;

function soughtBy({ words, isPrefix }: Term): Sought[] {
  const sought = words.flatMap(lexemesOf);
  return sought.map((each, n) => ({
    ...each,
    isBeginning: each.isBeginning || (isPrefix && n === sought.length - 1),
  }));
}

interface Sought {
  readonly lexeme: string;
  readonly isBeginning: boolean;
  /** From the lexeme before it. */
  readonly distance: number;
}

/** As `searchVector` stores them: the characters of a run two by two. A single one is the beginning of such a pair. */
function lexemesOf({ parts, isRun }: Word, index: number, words: readonly Word[]): Sought[] {
  const previous = words[index - 1];
  // Of a run before it the last pair begins with the last character but one.
  const distance = previous?.isRun === true && previous.parts.length > 1 ? 2 : 1;
  if (!isRun || parts.length === 1)
    return parts.map((lexeme, n) => ({ lexeme, isBeginning: isRun, distance: n === 0 ? distance : 1 }));
  return parts.slice(1).map((second, n) => ({
    lexeme: `${parts[n] ?? ''}${second}`,
    isBeginning: false,
    distance: n === 0 ? distance : 1,
  }));
}
