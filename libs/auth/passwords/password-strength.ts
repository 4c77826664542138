import { Injectable } from '@nestjs/common';
import { ZxcvbnFactory } from '@zxcvbn-ts/core';
import { adjacencyGraphs, dictionary } from '@zxcvbn-ts/language-common';
import { preparePassword } from './password-text.js';

/**
 * Of 0 to 4, by zxcvbn (Wheeler, USENIX Security 2016). Below 2 a password is found within 10^6 guesses: those that the limits of
 * failed logins leave to an attacker would do.
 */
const minScore = 2;
/** Of each end. 32 characters take up to 3 ms, and the time grows faster than their number. */
const judgedLength = 32;
/** Without the user's own words there must be as many characters left. */
const minOthers = 8;

/** What an attacker who knows the user tries first. */
export interface OwnWords {
  readonly email: string;
  readonly names: readonly string[];
}

/** How hard a password is to guess. Made once, in services alone: the lists take 40 ms and 9 MB. */
@Injectable()
export class PasswordStrength {
  /**
   * Common passwords and words (about 40,000), repetitions, sequences, dates, keys that are neighbours, and substitutions such as
   * `@` for `a`. Of these it tries up to 5 sets: with 100, its default, 32 characters take up to 40 ms, in which nothing else is done.
   */
  private readonly estimator = new ZxcvbnFactory({
    dictionary,
    graphs: adjacencyGraphs,
    l33tMaxSubstitutions: 5,
  });

  /** Whether the password is easy to guess, for whoever knows these words of the user. */
  isWeak(password: string, own: OwnWords): boolean {
    const words = wordsOf(own);
    const text = repeatedPart(password);
    // One and the same where it is short.
    const ends = [...new Set([text.slice(0, judgedLength), text.slice(-judgedLength)])];
    const isStrong = ends.some((end) => this.estimator.check(end, words).score >= minScore);
    return !isStrong || !hasOthers(password, words) || this.isDecoratedWord(password, words);
  }

  /** One common word, with digits, signs and blanks before, in and behind it, which zxcvbn counts as three independent choices. */
  private isDecoratedWord(password: string, words: string[]): boolean {
    const letters = password.replaceAll(/[^\p{L}\p{M}]+/gu, '');
    if (letters.length < 4 || letters.length > judgedLength) return false;
    const { sequence } = this.estimator.check(letters, words);
    return sequence.length === 1 && sequence[0]?.pattern === 'dictionary';
  }
}

/** Of a repetition, whose last one may be cut off, what is repeated; else all of it. */
function repeatedPart(text: string): string {
  for (let length = 1; length <= text.length / 2; length++)
    if (text.startsWith(text.slice(length))) return text.slice(0, length);
  return text;
}

/** Whole and in parts, the longest first. The product's name is known to everybody. */
function wordsOf({ email, names }: OwnWords): string[] {
  const texts = [email, ...names].map(preparePassword);
  const whole = [...texts, ...email.split('@'), 'task api', 'taskapi'];
  const parts = texts.flatMap((text) => text.split(/[^\p{L}\p{N}]+/u));
  const joined = whole.map((text) => text.replaceAll(/[^\p{L}\p{N}]+/gu, ''));
  return [...new Set([...whole, ...joined, ...parts].map((word) => word.toLowerCase()))]
    .filter((word) => word.length >= 3)
    .sort((a, b) => b.length - a.length);
}

function hasOthers(password: string, words: readonly string[]): boolean {
  let rest = password.toLowerCase();
  for (const word of words) rest = rest.replaceAll(word, '');
  return rest.length >= minOthers;
}
