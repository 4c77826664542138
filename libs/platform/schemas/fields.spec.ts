import { jest } from '@jest/globals';
import fc from 'fast-check';
import { instant, integerParameter, line, opaque, text, timeZone } from './fields.js';

const accepts = (schema: { safeParse(v: unknown): { success: boolean } }, value: unknown) =>
  schema.safeParse(value).success;

describe('payload schemas', () => {
  it('trims a line and counts its characters, not its UTF-16 units', () => {
    expect(line(1, 3).parse('  a  '.trim())).toBe('a');
    expect(line(1, 5).parse(' a b ')).toBe('a b');
    expect(accepts(line(1, 2), '😀😀')).toBe(true);
    expect(accepts(line(1, 2), '😀😀😀')).toBe(false);
  });

  it('refuses a line that is blank, broken or holds control characters', () => {
    for (const value of [
      '',
      ' ',
      '\u00a0\ufeff',
      ...['\u200b', '\u2800', '\u3164', '\u00ad', '\u202e', ' \u200b\u2060 ', '\u{e0001}\u{e0020}'],
      'a\nb',
      'a\u0000',
      'a\u007f',
      'a\u0085b',
      '\ud800',
      1,
      null,
      ['a'],
    ]) {
      expect(accepts(line(1, 10), value)).toBe(false);
    }
  });

  it('takes tabs and line breaks in free text, and no other control characters', () => {
    expect(accepts(text(10), 'a\tb\r\nc')).toBe(true);
    for (const value of ['\u0000', '\u001b', 'a'.repeat(11), '\udc00'])
      expect(accepts(text(10), value)).toBe(false);
  });

  it('keeps secret text as it is', () => {
    expect(opaque(1, 10).parse(' a\t ')).toBe(' a\t ');
    expect(accepts(opaque(1, 10), 'a\u0000')).toBe(false);
  });

  it('reads instants with any offset and refuses days that do not exist', () => {
    expect(instant().parse('2026-03-29t02:30:00z').toISOString()).toBe('2026-03-29T02:30:00.000Z');
    expect(instant().parse('2026-03-29T02:30:00+02:00').toISOString()).toBe('2026-03-29T00:30:00.000Z');
    for (const value of [
      '2026-02-30T00:00:00Z',
      '2026-01-01',
      '2026-01-01T00:00:00',
      '99999-01-01T00:00:00Z',
      0,
    ]) {
      expect(accepts(instant(), value)).toBe(false);
    }
  });

  it('takes the same lines as the pattern that says it plainly, in one pass', () => {
    const plain = /^[^\p{Cc}\u2028\u2029]*[^\s\p{Cc}][^\p{Cc}\u2028\u2029]*$/u;
    const characters = fc.constantFrom(
      ...Array.from('a\u{1F600} \u00a0\u2003\u3000\ufeff\u0000\n\u007f\u0085\u009f\u2028\u2029'),
    );
    fc.assert(
      fc.property(fc.string({ unit: characters, maxLength: 8 }), (value) => {
        expect(accepts(line(1, 20), value)).toBe(plain.test(value));
      }),
    );
  });

  it.each([
    ['a line', line(1, 500)],
    ['a text', text(16_384)],
    ['a secret', opaque(1, 200)],
    ['an instant', instant()],
    ['a time zone', timeZone()],
  ])('judges a megabyte by its length, and no pattern sees it: %s', (_, schema) => {
    // A pattern that ran would so add an issue of its own, and none takes its time over it.
    const pattern = jest.spyOn(RegExp.prototype, 'test').mockReturnValue(false);
    const { error } = schema.safeParse(`${'a'.repeat(1024 * 1024)}\n`);
    pattern.mockRestore();
    expect(error?.issues.map(({ message }) => message)).toEqual([expect.stringMatching('characters')]);
  });

  it('reads whole numbers of a query string within their bounds', () => {
    expect(integerParameter(1, 100).parse('25')).toBe(25);
    for (const value of ['0', '101', '', ' 5', '0x10', '1e1', '5.0', '-1', ['5', '6']]) {
      expect(accepts(integerParameter(1, 100), value)).toBe(false);
    }
  });

  it('writes time zones as the IANA does, whatever the case', () => {
    const written = (name: string) => timeZone().parse(name);
    expect(
      ['utc', 'europe/berlin', 'EUROPE/KYIV', 'etc/gmt+5', 'australia/act', 'nz-chat'].map(written),
    ).toEqual([...['UTC', 'Europe/Berlin', 'Europe/Kyiv', 'Etc/GMT+5', 'Australia/ACT', 'NZ-CHAT']]);
    expect(written('AMERICA/port-AU-prince')).toBe('America/Port-au-Prince');
  });

  it('knows time zones by their IANA names, aliases included', () => {
    for (const zone of ['UTC', 'Europe/Berlin', 'America/Argentina/Buenos_Aires', 'Europe/Kyiv']) {
      expect(accepts(timeZone(), zone)).toBe(true);
    }
    for (const zone of [
      '',
      'Nowhere',
      'IST',
      'CTT',
      'SystemV/AST4',
      '+02:00',
      'Europe/Berlin\u0000',
      'x'.repeat(65),
    ]) {
      expect(accepts(timeZone(), zone)).toBe(false);
    }
  });
});
