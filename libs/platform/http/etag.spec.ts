import { MalformedRequest, PreconditionFailed } from '../errors/common-errors.js';
import { isNotModified, requireMatch } from './etag.js';

describe('conditional requests', () => {
  it('passes where no condition is given, or it names the current version, or any', () => {
    for (const header of [undefined, '"3"', '*', '"1", "3"'])
      expect(() => requireMatch(header, '"3"')).not.toThrow();
  });

  it('fails with the current ETag where If-Match names another version or a weak one', () => {
    for (const header of ['"2"', 'W/"3"', '"1", "2"']) {
      expect(() => requireMatch(header, '"3"')).toThrow(PreconditionFailed);
    }
    expect(errorOf(() => requireMatch('"2"', '"3"'))).toMatchObject({
      status: 412,
      headers: { etag: '"3"' },
    });
  });

  it('finds a copy current by weak comparison', () => {
    expect(isNotModified('W/"3"', '"3"')).toBe(true);
    expect(isNotModified('*', '"3"')).toBe(true);
    expect(isNotModified('"2", "3"', '"3"')).toBe(true);
    expect(isNotModified('"a,b" ,W/"3"', '"3"')).toBe(true);
    expect(isNotModified('"2,"', '"2"')).toBe(false);
    expect(isNotModified('"2"', '"3"')).toBe(false);
    expect(isNotModified(undefined, '"3"')).toBe(false);
  });

  it('refuses what is no ETag instead of ignoring the condition', () => {
    for (const header of ['3', '"3', '', '"a""b"', '"\u0001"']) {
      expect(() => requireMatch(header, '"3"')).toThrow(MalformedRequest);
    }
  });
});

function errorOf(run: () => void): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}
