import { futureCursor } from './data-files.js';

describe('a cursor before all tasks', () => {
  it('is of the same list, and whole with any twelve digits, three of which are four characters', () => {
    const given = Buffer.from(JSON.stringify(['query-of-it', ['2026-01-01T00:00:00.000Z'], 'id', null]));
    const { head, tail } = futureCursor(given.toString('base64url'));
    const digits = ['012', '345', '678', '999'].map((three) => Buffer.from(three).toString('base64url'));
    const cursor = `${head}${digits.join('')}${tail}`;
    expect(JSON.parse(Buffer.from(cursor, 'base64url').toString())).toEqual([
      'query-of-it',
      ['2999-01-01T00:00:00.000Z'],
      '00000000-0000-7000-8000-012345678999',
      null,
    ]);
  });
});
