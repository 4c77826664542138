import { MalformedRequest } from '../../platform/errors/common-errors.js';
import { decodeCursor, encodeCursor } from './session-cursor.js';

const id = '0190aaaa-0000-7000-8000-00000000000a';

describe('a cursor of the list of sessions', () => {
  it('leads back to the session', () => {
    expect(decodeCursor(encodeCursor(id))).toBe(id);
  });

  it('is refused when it is changed in any way, even one that Node’s decoder does not mind', () => {
    const cursor = encodeCursor(id);
    for (const bad of [
      '',
      'abc',
      `${cursor}=`,
      `${cursor}!`,
      ` ${cursor}`,
      `${cursor}A`,
      cursor.slice(1),
      'A'.repeat(9000),
    ])
      expect(() => decodeCursor(bad)).toThrow(MalformedRequest);
  });
});
