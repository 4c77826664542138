/** Whose series a dashboard shows, by its variables. */
const release = 'namespace="$namespace",job="$job"';

type Selector = (name: string, ...matchers: readonly string[]) => string;
const within =
  (scope: string): Selector =>
  (name, ...matchers) =>
    `${name}{${[scope, ...matchers].join(',')}}`;

/** Of the processes that are chosen. */
export const ofApi = within(`${release},instance=~"$instance"`);
/** Of the whole release, as what is recorded by rules. */
export const ofRelease = within(release);
/** Of the exporters beside the release. */
export const ofPostgres = within('namespace="$namespace",job="$job-postgres"');
export const ofRedis = within('namespace="$namespace",job="$job-redis"');
/** Of the cluster (kube-state-metrics, the kubelet, cAdvisor), which knows nothing of jobs. */
export const ofCluster = within('namespace="$namespace"');

export const rate = (series: string): string => `rate(${series}[$__rate_interval])`;
export const increase = (series: string, range = '$__rate_interval'): string =>
  `increase(${series}[${range}])`;

const aggregate =
  (operator: string) =>
  (expression: string, ...by: readonly string[]): string =>
    by.length === 0 ? `${operator}(${expression})` : `${operator} by (${by.join(', ')}) (${expression})`;
export const sum = aggregate('sum');
export const max = aggregate('max');
export const min = aggregate('min');
export const count = aggregate('count');

/** Nothing where the whole is zero: 0 / 0 is no number. */
export const ratio = (part: string, whole: string): string => `${part} / (${whole} > 0)`;

/** Of a histogram's `…_bucket`. Without requests it is NaN, which the comparison drops. */
export const quantile = (q: number, buckets: string, ...by: readonly string[]): string =>
  `histogram_quantile(${q}, ${sum(rate(buckets), 'le', ...by)}) >= 0`;

/** `expression`, or zero where that finds nothing, as long as `witness` is there. The zero has `label`, if any. */
export const orZero = (expression: string, witness: string, label?: string): string => {
  const zero = `sum(${witness}) * 0`;
  return label === undefined
    ? `(${expression} or ${zero})`
    : `${expression} or on () label_replace(${zero}, "${label}", "none", "", "")`;
};
