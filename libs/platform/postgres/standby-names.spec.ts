import { parseStandbyNames } from './standby-names.js';

describe('synchronous_standby_names', () => {
  it.each([
    ['ANY 1 (a, b)', 1, ['a', 'b']],
    ['any 2(A,"B c","d""e")', 2, ['a', 'b c', 'd"e']],
    ['  ANY 1 ( "task_api_postgres_replica_0" )  ', 1, ['task_api_postgres_replica_0']],
  ])('is read where it names who confirms: %s', (setting, count, names) => {
    expect(parseStandbyNames(setting)).toEqual({ count, names });
  });

  it.each([
    '',
    '*',
    'a',
    'a, b',
    'FIRST 1 (a, b)',
    '1 (a, b)',
    'ANY 1 (*)',
    'ANY 1 (a, *)',
    'ANY 1 ("*")',
    'ANY 0 (a)',
    'ANY 3 (a, b)',
    'ANY 1 (a, A)',
    'ANY 1 ()',
    'ANY 1 (a',
    'ANY 1 (a b)',
    'ANY 1 (a,)',
  ])('can not be counted: %s', (setting) => {
    expect(parseStandbyNames(setting)).toBeNull();
  });
});
