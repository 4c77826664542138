import { MalformedRequest, requireVersion, VersionMismatch } from '../errors/common-errors.js';
import { Conditions } from './etag.js';

const expecting = (ifMatch?: string) => new Conditions(ifMatch, undefined);
const refusing = (ifNoneMatch?: string) => new Conditions(undefined, ifNoneMatch);

describe('conditional requests', () => {
  it('expect any version where no condition is given, or `*`', () => {
    expect(expecting().versions()).toEqual({ anyOf: null, noneOf: [] });
    expect(expecting('*').versions().anyOf).toBeNull();
    expect(expecting(' * ').numbers().anyOf).toBeNull();
  });

  it('expect the versions that If-Match names, but for weak ones', () => {
    expect(expecting('"3-v"').versions().anyOf).toEqual(['3-v']);
    expect(expecting('"1", "3"').versions().anyOf).toEqual(['1', '3']);
    expect(expecting('W/"3"').versions().anyOf).toEqual([]);
    expect(expecting('"1", "x", "03", "3"').numbers().anyOf).toEqual([1, 3]);
    expect(expecting('"2147483647", "2147483648", "9999999999"').numbers().anyOf).toEqual([2147483647]);
  });

  it('expect none of the versions that If-None-Match names, weak ones too, and with `*` none at all', () => {
    expect(refusing('"1", W/"3"').numbers()).toEqual({ anyOf: null, noneOf: [1, 3] });
    expect(refusing('*').versions()).toEqual({ anyOf: [], noneOf: [] });
    expect(new Conditions('"1"', '*').numbers().anyOf).toEqual([]);
  });

  it('fail with the current version where another one is expected', () => {
    for (const anyOf of [null, [3], [1, 3]])
      expect(() => requireVersion({ anyOf, noneOf: [2] }, 3)).not.toThrow();
    for (const condition of [
      { anyOf: [], noneOf: [] },
      { anyOf: [2], noneOf: [] },
      { anyOf: [1, 2], noneOf: [] },
      { anyOf: [3], noneOf: [3] },
      { anyOf: null, noneOf: [1, 3] },
    ])
      expect(() => requireVersion(condition, 3)).toThrow(VersionMismatch);
    expect(errorOf(() => requireVersion({ anyOf: [2], noneOf: [] }, 3))).toMatchObject({
      kind: 'version_mismatch',
      currentVersion: 3,
    });
  });

  it('find a copy current by weak comparison', () => {
    for (const header of ['W/"3"', '*', '"2", "3"', '"a,b" ,W/"3"', '"3",', ', ,"2",,"3"'])
      expect([header, refusing(header).isNotModified('"3"')]).toEqual([header, true]);
    expect(refusing('"2,"').isNotModified('"2"')).toBe(false);
    expect(refusing('"2"').isNotModified('"3"')).toBe(false);
    expect(refusing().isNotModified('"3"')).toBe(false);
  });

  it('refuse a read of another version than If-Match names', () => {
    expect(expecting('"2", "3"').isNotModified('"3"')).toBe(false);
    expect(expecting('*').isNotModified('"3"')).toBe(false);
    expect(new Conditions('"3"', '"3"').isNotModified('"3"')).toBe(true);
    for (const header of ['"2"', 'W/"3"'])
      expect(() => expecting(header).isNotModified('"3"')).toThrow(VersionMismatch);
  });

  it('refuse what is no ETag instead of ignoring the condition', () => {
    for (const header of ['3', '"3', '', ',', '"', '"a""b"', '"a" "b"', '"a", b', '\u00e9', '"\u0001"']) {
      expect(() => expecting(header).versions()).toThrow(MalformedRequest);
      expect(() => new Conditions('"2"', header).isNotModified('"3"')).toThrow(MalformedRequest);
    }
  });

  it('are read in one pass, however long they are', () => {
    const hostile = `"1"${', '.repeat(8000)}x`;
    const before = process.cpuUsage();
    expect(() => refusing(hostile).versions()).toThrow(MalformedRequest);
    // Tried in every way it would be seconds.
    expect(process.cpuUsage(before).user).toBeLessThan(500_000);
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
