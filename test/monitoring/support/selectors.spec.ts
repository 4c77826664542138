import { metricOf, selectorsOf } from './selectors.js';

describe('selectorsOf', () => {
  it.each([
    ['up', ['up']],
    ['up == 0 or absent(up{job="a"})', ['up', 'up{job="a"}']],
    [
      'sum by (namespace, job) (rate(a_total{route=~"/v1/.+",x!="}"}[5m] offset 1h))',
      ['a_total{route=~"/v1/.+",x!="}"}'],
    ],
    ['sum(rate(a_total[5m])) by (job) / on (job) group_left (version) b', ['a_total', 'b']],
    ['job:slo:ratio_rate5m > 14.4 * 0.001 and on (job) x unless y', ['job:slo:ratio_rate5m', 'x', 'y']],
    ['max_over_time(a[1h:5m]) >= bool 1e3 # up', ['a']],
    ['{__name__="a"} offset -5m', ['{__name__="a"}']],
    ['label_replace(a, "x", "$1", "y", "(.*)") or vector(0) * Inf', ['a']],
    ['a @ end()', ['a']],
  ])('finds those of %s', (expr, selectors) => {
    expect(selectorsOf(expr)).toEqual(selectors);
  });

  it('knows the metric of a selector', () => {
    expect(selectorsOf('rate(a:b_total{c="d"}[1m])').map(metricOf)).toEqual(['a:b_total']);
  });
});
