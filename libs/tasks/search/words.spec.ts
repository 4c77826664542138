import fc from 'fast-check';
import { wordsOf } from './words.js';

const textsOf = (text: string): string[] => wordsOf(text).map(({ parts }) => parts.join(''));
const anyCharacters = fc.string({ unit: 'binary', maxLength: 30 });

describe('the words of a text', () => {
  it.each([
    ['Read “Dune”, then TCP/IP_notes!', ['read', 'dune', 'then', 'tcp', 'ip', 'notes']],
    ['ΟΔΟΣ οδός ẞ ß İ ı Ŀ', ['οδοσ', 'οδοσ', 'ss', 'ss', 'i', 'i', 'l']],
    ['iPhone用ケース12本', ['iphone', '用ケース', '12', '本']],
    ['ﬁ ＴＡＳＫ ２ ½ ٣ ৪ 𝟗', ['fi', 'task', '2', '1', '2', '3', '4', '9']],
    ['मेंं क़लम й и', ['मेंं', 'क़लम', 'й', 'и']],
    ['\u0301 \u094d 🎉 \u2060 “”', []],
  ])('of %j', (text, words) => {
    expect(textsOf(text)).toEqual(words);
  });

  it('are pieces of at most 64 characters, or the characters of a run', () => {
    expect(wordsOf('x'.repeat(130)).map(({ parts }) => parts.map(({ length }) => length))).toEqual([
      [64, 64, 2],
    ]);
    expect(wordsOf('Ж'.repeat(65))[0]?.parts.map(({ length }) => length)).toEqual([64, 1]);
    expect(wordsOf('คำที่')[0]).toMatchObject({ isRun: true });
    expect(wordsOf('会議')[0]).toEqual({ isRun: true, parts: ['会', '議'] });
  });

  it('depend on the version of Unicode: one that is new here needs a new `wordsVersion`', () => {
    expect(process.versions['unicode']).toBe('17.0');
  });

  it('take time in proportion to the text, whatever its characters', () => {
    const before = process.cpuUsage();
    for (const marks of ['\u0f73', '\u0315\u0300\u0323', 'ﷺ'])
      expect(wordsOf(`a${marks.repeat(16_384)}`.slice(0, 16_384)).length).toBeGreaterThan(0);
    // In the square of it, it would be seconds.
    expect(process.cpuUsage(before).user).toBeLessThan(1_000_000);
  });

  it('have the same words themselves: to normalise twice changes nothing', () => {
    fc.assert(
      fc.property(anyCharacters, (text) => {
        for (const word of textsOf(text)) expect(textsOf(word)).toEqual([word]);
      }),
      { numRuns: 5000 },
    );
  });

  it('are the same whatever the normal form and the case', () => {
    fc.assert(
      fc.property(anyCharacters, (text) => {
        const words = textsOf(text);
        for (const form of ['NFC', 'NFD', 'NFKC', 'NFKD'])
          expect(textsOf(text.normalize(form))).toEqual(words);
        // The iota below a letter of ancient Greek is an accent, and a letter of its own beside a capital.
        if (!text.normalize('NFD').includes('\u0345')) expect(textsOf(text.toUpperCase())).toEqual(words);
        expect(textsOf(text.toLowerCase())).toEqual(words);
      }),
      { numRuns: 5000 },
    );
  });

  it('are letters, digits and marks alone, so that none has to be quoted', () => {
    fc.assert(
      fc.property(anyCharacters, (text) => {
        for (const word of textsOf(text)) expect(word).toMatch(/^[\p{L}\p{N}][\p{L}\p{N}\p{M}]*$/u);
      }),
      { numRuns: 5000 },
    );
  });

  it('are all of a text: every letter and digit of ASCII is in one', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii', maxLength: 200 }), (text) => {
        expect(textsOf(text).join('')).toBe(text.toLowerCase().replace(/[^a-z0-9]/g, ''));
      }),
    );
  });
});
