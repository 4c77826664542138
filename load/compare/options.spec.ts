import { parseOptions } from './options.js';
import { workloads } from './workloads.js';

const names = (...args: string[]) => parseOptions(args).workloads.map(({ name }) => name);

describe('the options of the comparison', () => {
  it('mean everything, in five rounds, unless they name a part', () => {
    expect(names()).toEqual(workloads.map(({ name }) => name));
    expect(parseOptions([])).toMatchObject({ rounds: 5, seconds: 4, connections: [64, 1000] });
    const part = parseOptions(['--only', 'list,get', '--rounds', '3', '--connections', '64']);
    expect(part).toMatchObject({ rounds: 3, connections: [64] });
    expect(part.workloads.map(({ name }) => name)).toEqual(['list', 'get']);
  });

  it('add creates without the own indexes to what is named', () => {
    expect(names('--only', 'create', '--without-own-indexes')).toEqual([
      ...['create', 'create-without-own-indexes'],
    ]);
  });

  it('are refused with what is possible', () => {
    expect(() => names('--only', 'nonsense')).toThrow(/no workload nonsense: list-cached, /);
    expect(() => names('--servers', 'rails')).toThrow(/no server rails: api, bare, /);
    expect(() => names('--rounds', '0')).toThrow(/"0" is no number/);
  });
});
