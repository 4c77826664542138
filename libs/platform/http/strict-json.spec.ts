import fc from 'fast-check';
import { MalformedRequest } from '../errors/common-errors.js';
import { parseStrictJson } from './strict-json.js';

const parse = (text: string) => parseStrictJson(Buffer.from(text));
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

describe('strict JSON', () => {
  it('reads whatever JSON.stringify writes, as JSON.parse does', () => {
    const value = fc.jsonValue({ maxDepth: 5, stringUnit: 'binary' }).filter((v) => isAcceptable(v));
    fc.assert(
      fc.property(value, fc.boolean(), (json, isPretty) => {
        const text = JSON.stringify(json, null, isPretty ? 2 : 0);
        expect(parse(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('finds a key that stands twice, wherever its object is and however it is written', () => {
    for (const text of [
      '{"a":1,"a":2}',
      '{"a":1,"\\u0061":2}',
      '{"b":{"a":[{"c":1}],"a":2}}',
      '[{"x":"}{"},{"a":"\\"","a" : 1}]',
    ]) {
      expect(() => parse(text)).toThrow(MalformedRequest);
    }
  });

  it('takes the same key in different objects, and a value that looks like a key', () => {
    expect(parse('[{"a":{"a":["a","a"]}},{"a":"a"}]')).toEqual([{ a: { a: ['a', 'a'] } }, { a: 'a' }]);
  });

  it('refuses keys that reach prototypes', () => {
    for (const key of ['__proto__', 'constructor', 'prototype', '\\u005f_proto__']) {
      expect(() => parse(`{"x":{"${key}":{"polluted":true}}}`)).toThrow(/not allowed/);
    }
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it('refuses lone surrogates in values and keys, and takes pairs', () => {
    expect(() => parse('{"a":"\\ud800"}')).toThrow(/surrogate/);
    expect(() => parse('{"\\udc00x":1}')).toThrow(/surrogate/);
    expect(parse('"\\ud83d\\ude00"')).toBe('😀');
  });

  it('refuses documents that are nested too deeply, without running out of stack', () => {
    expect(parse(nested(32))).toBeDefined();
    expect(() => parse(nested(33))).toThrow(/nested/);
    expect(() => parse('['.repeat(500_000))).toThrow(/nested/);
  });

  it('refuses what is no UTF-8 and what is no JSON, and says so', () => {
    expect(() => parseStrictJson(Buffer.from([0x22, 0xff, 0x22]))).toThrow(/UTF-8/);
    for (const text of [
      '',
      '{',
      '{"a"',
      '{"a":1,}',
      '01',
      'NaN',
      '"\u0001"',
      "{'a':1}",
      '{"a":1} x',
      '"\\x"',
    ]) {
      expect(() => parse(text)).toThrow(/not valid JSON/);
    }
  });

  it('never ends in anything but a value or a malformed request', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...Array.from('{}[]":,\\u00aed8 1e.-"tn')) }), (text) => {
        try {
          parse(text);
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedRequest);
        }
      }),
    );
  });
});

function isAcceptable(value: unknown): boolean {
  const text = JSON.stringify(value);
  return !/\\ud[89a-f]/i.test(text) && !/"(__proto__|constructor|prototype)":/.test(text);
}
