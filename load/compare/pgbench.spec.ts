import { parsePgbench } from './pgbench.js';

describe('the output of pgbench', () => {
  it('tells the rate and the failures, and no percentiles', () => {
    const output =
      'number of failed transactions: 3 (0.010%)\n' +
      'latency average = 0.5 ms\ntps = 20000.500000 (without initial connection time)\n';
    expect(parsePgbench(output, 2)).toEqual({
      ...{ requests: 40_001, perSecond: 20_000.5, p50: NaN, p95: NaN, p99: NaN },
      ...{ refused: 3, timedOut: 0, broken: 0 },
    });
  });

  it('is refused where there is no rate', () => {
    expect(() => parsePgbench('connection refused', 2)).toThrow(/connection refused/);
  });
});
