import { Counter, Histogram, Registry, type OpenMetricsContentType } from 'prom-client';
import { Metrics } from './metrics.js';

const options = { help: 'Things.', labelNames: ['kind', 'result'] as const };
const buckets = [0.1, 1, 5];
const series = [
  { kind: 'a', result: 'good' },
  { kind: 'a', result: 'b"ad\n' },
  { kind: 'none', result: 'good' },
];

const metrics = new Metrics();
const { registry } = metrics;

/** What prom-client makes of the same. */
const other = new Registry<OpenMetricsContentType>();
other.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
const lines = async (
  from: { getSingleMetricAsString(name: string): Promise<string> },
  name: string,
): Promise<string[]> => (await from.getSingleMetricAsString(name)).split('\n');

describe('series that are kept by whoever counts', () => {
  it('are told as those of a counter of prom-client, as zero from the start', async () => {
    const ours = metrics.counter({ ...options, name: 'things_total' });
    const theirs = new Counter({ ...options, name: 'things_total', registers: [other] });
    for (const labels of series) {
      ours.series(labels);
      theirs.inc(labels, 0);
    }
    expect(await lines(registry, 'things_total')).toEqual(await lines(other, 'things_total'));
    for (const by of [1, 2, 3]) {
      ours.series({ kind: 'a', result: 'good' }).inc(by);
      theirs.inc({ kind: 'a', result: 'good' }, by);
    }
    for (let scrape = 0; scrape < 2; scrape++)
      expect(await lines(registry, 'things_total')).toEqual(await lines(other, 'things_total'));
  });

  it('are told as those of a histogram of prom-client', async () => {
    const ours = metrics.histogram({ ...options, name: 'thing_seconds', buckets });
    const theirs = new Histogram({ ...options, name: 'thing_seconds', buckets, registers: [other] });
    for (const labels of series) {
      ours.series(labels);
      theirs.zero(labels);
    }
    expect(await lines(registry, 'thing_seconds')).toEqual(await lines(other, 'thing_seconds'));
    for (const value of [0, 0.1, 0.100001, 0.5, 1, 4.99, 5, 6, 1e9]) {
      ours.series({ kind: 'a', result: 'good' }).observe(value);
      theirs.observe({ kind: 'a', result: 'good' }, value);
    }
    const [found, expected] = [await lines(registry, 'thing_seconds'), await lines(other, 'thing_seconds')];
    expect(found).toHaveLength(2 + series.length * (buckets.length + 3));
    expect(found).toEqual(expected);
  });
});
