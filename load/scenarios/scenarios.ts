type Environment = Readonly<Record<string, string>>;

/** A script of load/k6, and the service that `npm run load` starts for it. */
export interface Scenario {
  readonly name: string;
  readonly what: string;
  /** Number of seeded users, each with 100 tasks. */
  readonly users: number;
  /** More than one: behind NGINX. */
  readonly processes?: number;
  /** Variables of the API. */
  readonly env?: Environment;
}

const points = (name: string, value: number): Environment => ({
  [`RATE_LIMIT_${name}_POINTS`]: String(value),
});

export const scenarios: readonly Scenario[] = [
  { name: 'smoke', what: 'few calls', users: 5 },
  { name: 'average', what: 'a steady rate', users: 200 },
  { name: 'stress', what: 'once, twice and three times that rate', users: 200 },
  { name: 'spike', what: 'ten times the rate within seconds', users: 200 },
  { name: 'soak', what: 'a steady rate for a long time', users: 200 },
  { name: 'breakpoint', what: 'a rate that rises until an objective is missed', users: 200 },
  {
    name: 'ten-thousand-users',
    what: '10,000 users with 6.7 s between calls, on three processes behind NGINX',
    users: 10_000,
    processes: 3,
  },
  {
    name: 'login-storm',
    what: '10,000 logins at once',
    users: 20,
    env: { PASSWORD_CONCURRENCY: '1' },
  },
  {
    name: 'limited-calls',
    what: 'a flood of calls that are over their limit',
    users: 100,
    // The defaults.
    env: { ...points('FREE', 100), ...points('PREMIUM', 1000) },
  },
];
