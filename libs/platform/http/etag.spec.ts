import { MalformedRequest, requireVersion, VersionMismatch } from '../errors/common-errors.js';
import { expectedNumbers, expectedVersions, isNotModified } from './etag.js';

describe('conditional requests', () => {
  it('expect any version where no condition is given, or `*`', () => {
    expect(expectedVersions(undefined)).toBeNull();
    expect(expectedVersions('*')).toBeNull();
    expect(expectedNumbers(' * ')).toBeNull();
  });

  it('expect the versions that If-Match names, but for weak ones', () => {
    expect(expectedVersions('"3-v"')).toEqual(['3-v']);
    expect(expectedVersions('"1", "3"')).toEqual(['1', '3']);
    expect(expectedVersions('W/"3"')).toEqual([]);
    expect(expectedNumbers('"1", "x", "03", "3"')).toEqual([1, 3]);
    expect(expectedNumbers('"2147483647", "2147483648", "9999999999"')).toEqual([2147483647]);
  });

  it('fail with the current version where another one is expected', () => {
    for (const expected of [null, [3], [1, 3]]) expect(() => requireVersion(expected, 3)).not.toThrow();
    for (const expected of [[], [2], [1, 2]])
      expect(() => requireVersion(expected, 3)).toThrow(VersionMismatch);
    expect(errorOf(() => requireVersion([2], 3))).toMatchObject({
      kind: 'version_mismatch',
      currentVersion: 3,
    });
  });

  it('find a copy current by weak comparison', () => {
    expect(isNotModified('W/"3"', '"3"')).toBe(true);
    expect(isNotModified('*', '"3"')).toBe(true);
    expect(isNotModified('"2", "3"', '"3"')).toBe(true);
    expect(isNotModified('"a,b" ,W/"3"', '"3"')).toBe(true);
    expect(isNotModified('"2,"', '"2"')).toBe(false);
    expect(isNotModified('"2"', '"3"')).toBe(false);
    expect(isNotModified(undefined, '"3"')).toBe(false);
  });

  it('refuse what is no ETag instead of ignoring the condition', () => {
    for (const header of ['3', '"3', '', '"a""b"', '"\u0001"']) {
      expect(() => expectedVersions(header)).toThrow(MalformedRequest);
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
