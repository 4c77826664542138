// A few users call far more than their limit allows, beside others who stay within it. Who is over the limit must get 429 with
// Retry-After, at once; the others must not notice. With the default limits, users of the tier `free` have 100 calls in 15 minutes.
import { Counter, Rate } from 'k6/metrics';
import exec from 'k6/execution';
import { call } from './calls.js';
import { objectivesOf } from './objectives.js';
import { common, number, seconds, steady } from './settings.js';
import { summaryOf } from './summary.js';
import { callOf } from './traffic.js';
import { prepareUsers, userAt, userCount } from './users.js';

/** The first nine are of the tier `free`; the seed makes every tenth user premium. */
const noisy = 5;
const duration = seconds('DURATION', '1m');

const limitedShare = new Rate('limited_share');
const withoutRetryAfter = new Counter('limited_without_retry_after');

export const options = {
  ...common,
  scenarios: {
    flood: steady(number('FLOOD_RATE', 500), duration, { exec: 'flood' }),
    within: steady(number('RATE', 10), duration, { exec: 'within' }),
  },
  thresholds: {
    ...objectivesOf('flood', 'within'),
    failed_calls: ['count==0'],
    // The calls before the limit is reached are answered as usual.
    limited_share: ['rate>0.5'],
    limited_without_retry_after: ['count==0'],
  },
};
export const setup = prepareUsers(100);
export const handleSummary = summaryOf('limited-calls', options);

export function flood(made) {
  const { token } = userAt(made, exec.scenario.iterationInTest % noisy);
  const { status, headers } = call([200, 429], 'GET /v1/tasks', '/v1/tasks', { token });
  limitedShare.add(status === 429);
  if (status === 429 && headers['Retry-After'] === undefined) withoutRetryAfter.add(1);
}

export function within(made) {
  const others = userCount(made) - noisy;
  callOf(userAt(made, noisy + (exec.scenario.iterationInTest % others)));
}
