// Settings of a run, from the variables that `k6 run -e NAME=value` sets.

export const baseUrl = (__ENV.BASE_URL || 'http://127.0.0.1:5000').replace(/\/$/, '');

/** A positive number, or the default. */
export function number(name, fallback) {
  const value = Number(__ENV[name] || fallback);
  if (!(value > 0)) throw new Error(`${name}=${__ENV[name]} is not a positive number.`);
  return value;
}

/** A duration such as `90s`, `5m` or `1h30m`, in seconds. */
export function seconds(name, fallback) {
  const text = __ENV[name] || fallback;
  const [whole, h = 0, m = 0, s = 0] = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text) ?? [];
  const sum = Number(h) * 3600 + Number(m) * 60 + Number(s);
  if (whole === undefined || sum === 0) throw new Error(`${name}=${text} is not a duration such as 90s.`);
  return sum;
}

/** Options of every scenario. */
export const common = {
  setupTimeout: '10m',
  summaryTrendStats: ['med', 'p(95)', 'p(99)', 'max'],
  // A generator that keeps every body needs the CPU that the API should get. KEEP_BODIES=true shows those of failures.
  discardResponseBodies: __ENV.KEEP_BODIES !== 'true',
};

/**
 * Executors of the open model need a virtual user for each call in flight. A call for which none is free is lost and counts
 * in `dropped_iterations`; with so many, that takes a stall of a second or more.
 */
export const virtualUsers = (perSecond) => {
  const count = Math.ceil(Math.min(3000, Math.max(300, perSecond)));
  return { preAllocatedVUs: count, maxVUs: count };
};

/** Calls at a steady rate, independent of response times. */
export const steady = (perSecond, forSeconds, more = {}) => ({
  executor: 'constant-arrival-rate',
  // k6 takes whole numbers only.
  rate: Math.max(1, Math.round(perSecond * 60)),
  timeUnit: '1m',
  duration: `${forSeconds}s`,
  ...virtualUsers(perSecond),
  gracefulStop: '20s',
  ...more,
});

/** Calls at a rate that changes: `stages` are pairs of a rate per second and the seconds until it is reached. */
export const ramping = (startPerSecond, stages, more = {}) => ({
  executor: 'ramping-arrival-rate',
  startRate: Math.round(startPerSecond * 60),
  timeUnit: '1m',
  stages: stages.map(([perSecond, inSeconds]) => ({
    target: Math.round(perSecond * 60),
    duration: `${Math.max(1, Math.round(inSeconds))}s`,
  })),
  ...virtualUsers(Math.max(...stages.map(([perSecond]) => perSecond))),
  gracefulStop: '20s',
  ...more,
});
