import { z } from 'zod';
import {
  addressRanges,
  flag,
  integer,
  InvalidEnvironment,
  list,
  parseEnvironment,
  url,
} from './environment.js';
import { describeVariables } from './documentation.js';

const variables = {
  PORT: integer(1, 65535).default(5000).describe('A port.'),
  DATABASE_URL: url('postgres').describe('A database.'),
  ORIGINS: list().default([]).describe('Origins.'),
  IS_ON: flag().optional().describe('A flag.'),
};

describe('the environment', () => {
  it('is parsed into typed, frozen values; unset and empty mean the default', () => {
    const config = parseEnvironment(
      { PORT: '', DATABASE_URL: 'postgres://db/x', ORIGINS: 'a, b,', IS_ON: 'false' },
      variables,
    );
    expect(config).toEqual({
      PORT: 5000,
      DATABASE_URL: 'postgres://db/x',
      ORIGINS: ['a', 'b'],
      IS_ON: false,
    });
    expect(Object.isFrozen(config)).toBe(true);
  });

  it('is refused with every problem at once, and without the values, which may be secrets', () => {
    const parse = () =>
      parseEnvironment({ PORT: '70000', DATABASE_URL: 'mysql://u:hunter2@db', IS_ON: 'yes' }, variables);
    expect(parse).toThrow(InvalidEnvironment);
    expect(parse).toThrow(/DATABASE_URL: .*\n.*IS_ON: .*\n.*PORT: /);
    expect(parse).not.toThrow(/hunter2/);
  });

  it('takes addresses and ranges of both families, and nothing else for one', () => {
    const accepts = (value: string) => addressRanges().safeParse(value).success;
    for (const value of ['', '10.0.0.0/8', '127.0.0.1, ::1', 'fd00::/8', '10.0.0.1/32', '::1/128'])
      expect([value, accepts(value)]).toEqual([value, true]);
    for (const value of [
      ...['nonsense', 'loopback', '10.0.0', '10.0.0.0/33', '::/129', '10.0.0.0/0', '::/0'],
      ...['10.0.0.0/', '10.0.0.0/8/8', '10.0.0.0/x', '10.0.0.0/255.0.0.0', '10.0.0.0/8,nonsense'],
    ])
      expect([value, accepts(value)]).toEqual([value, false]);
  });

  it('is described by the schemas that parse it', () => {
    expect(describeVariables(variables)).toContain('| `PORT` | `5000` | A port. |');
    expect(describeVariables(variables)).toContain('| `DATABASE_URL` | needed | A database. |');
    expect(describeVariables({ X: z.string().optional().describe('Maybe.') })).toContain(
      '| `X` | — | Maybe. |',
    );
  });
});
