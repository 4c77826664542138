/** Label matchers of the series that a dashboard shows, from its variables. */
const release = 'namespace="$namespace",job="$job"';

type Selector = (name: string, ...matchers: readonly string[]) => string;
const within =
  (scope: string): Selector =>
  (name, ...matchers) =>
    `${name}{${[scope, ...matchers].join(',')}}`;

/** The selected processes. */
export const ofApi = within(`${release},instance=~"$instance"`);
/** The whole release, as in recording rules. */
export const ofRelease = within(release);
/** The exporters of the release. */
export const ofPostgres = within('namespace="$namespace",job="$job-postgres"');
export const ofRedis = within('namespace="$namespace",job="$job-redis"');
/** The cluster (kube-state-metrics, the kubelet, cAdvisor), whose series do not have the job of the release. */
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

/** No result if the whole is zero, because 0 / 0 is NaN. */
export const ratio = (part: string, whole: string): string => `${part} / (${whole} > 0)`;

/** A quantile of a histogram's `…_bucket`. Without requests it is NaN, which the comparison drops. */
export const quantile = (q: number, buckets: string, ...by: readonly string[]): string =>
  `histogram_quantile(${q}, ${sum(rate(buckets), 'le', ...by)}) >= 0`;

/** `expression`, or zero if it has no result but `witness` has one. The zero gets `label`, if any. */
export const orZero = (expression: string, witness: string, label?: string): string => {
  const zero = `sum(${witness}) * 0`;
  return label === undefined
    ? `(${expression} or ${zero})`
    : `${expression} or on () label_replace(${zero}, "${label}", "none", "", "")`;
};
