import { parsePostgresUrl } from './postgres-url.js';

describe('a Postgres URL', () => {
  it.each([
    'postgres://localhost/tasks',
    'postgresql://ada:secret@db.example.com:5433/tasks?sslmode=require',
    'postgres://ada@[::1]:5432/tasks',
    'postgres://db',
    'postgres://db?application_name=x',
    'postgres://ada:p%40ss%2Fw%3Aord%2C%25@db/tasks',
  ])('with one host stays as it is: %s', (url) => {
    expect(parsePostgresUrl(url)).toEqual([url]);
  });

  it('with several hosts is one URL for each, all else the same', () => {
    expect(parsePostgresUrl('postgres://ada:s%2Cx@a:5432,b,[fd00::1]:5433/tasks?sslmode=require')).toEqual([
      'postgres://ada:s%2Cx@a:5432/tasks?sslmode=require',
      'postgres://ada:s%2Cx@b/tasks?sslmode=require',
      'postgres://ada:s%2Cx@[fd00::1]:5433/tasks?sslmode=require',
    ]);
  });

  it('may hold a comma in its password and in its path', () => {
    expect(parsePostgresUrl('postgres://ada:a,b@db:5432/tasks?options=a,b')).toEqual([
      'postgres://ada:a,b@db:5432/tasks?options=a,b',
    ]);
  });

  it('ends its password at the last @, for each of its hosts', () => {
    expect(parsePostgresUrl('postgres://ada:p@ss@a,b/tasks')).toEqual([
      'postgres://ada:p@ss@a/tasks',
      'postgres://ada:p@ss@b/tasks',
    ]);
  });

  it.each([
    ['nothing', ''],
    ['another database', 'mysql://ada@db/tasks'],
    ['no scheme', 'db:5432/tasks'],
    ['no host', 'postgres:///tasks'],
    ['credentials without a host', 'postgres://ada:secret@/tasks'],
    ['an empty host among others', 'postgres://a,,b/tasks'],
    ['an empty host at the end', 'postgres://a:5432,/tasks'],
    ['a port without a host', 'postgres://a,:5432/tasks'],
    ['a port that none can have', 'postgres://a:65536/tasks'],
    ['a port that is no number', 'postgres://a:5432,b:x/tasks'],
    ['an IPv6 address without brackets', 'postgres://::1:5432/tasks'],
    ['a password with a slash of its own', 'postgres://ada:p/ss@db/tasks'],
    ['blanks', 'postgres://a b/tasks'],
    ['a password that does not decode', 'postgres://ada:100%@db/tasks'],
    ['a password that is no UTF-8', 'postgres://ada:%E0%A4@db/tasks'],
  ])('is none with %s: %s', (_, url) => {
    expect(parsePostgresUrl(url)).toBeNull();
  });
});
