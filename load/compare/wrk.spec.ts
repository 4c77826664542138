import { parseWrk } from './wrk.js';

describe('the output of wrk', () => {
  it('is read from the line of the script, in requests a second and milliseconds', () => {
    const output =
      'Running 4s test @ http://127.0.0.1:1\n' +
      'COMPARE {"requests":1000,"microseconds":2000000,"p50":1500,"p95":20000,"p99":30500,"max":99000,"refused":1,"timedOut":2,"broken":3}\n';
    expect(parseWrk(output)).toEqual({
      ...{ requests: 1000, perSecond: 500, p50: 1.5, p95: 20, p99: 30.5 },
      ...{ refused: 1, timedOut: 2, broken: 3 },
    });
  });

  it('is refused with what was printed where that line is missing', () => {
    expect(() => parseWrk('unable to connect')).toThrow(/unable to connect/);
  });
});
