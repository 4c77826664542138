// Every user sends a call each 6.7 seconds: 10,000 of them are 1,500 calls per second. A 429 counts as failed.
import exec from 'k6/execution';
import { durationsOf } from './objectives.js';
import { common, number, ramping, seconds, steady } from './settings.js';
import { summaryOf } from './summary.js';
import { callOf } from './traffic.js';
import { prepareUsers, userAt } from './users.js';

const rate = number('USERS', 10_000) / number('PAUSE_SECONDS', 6.7);
const duration = seconds('DURATION', '2m');
const warmUp = seconds('WARM_UP', '30s');

export const options = {
  ...common,
  scenarios: {
    warm_up: ramping(1, [[rate, warmUp]]),
    users: steady(rate, duration, { startTime: `${warmUp}s` }),
  },
  thresholds: {
    failed_calls: ['count==0'],
    dropped_iterations: ['count==0'],
    'http_req_duration{scenario:users}': ['p(99)<500'],
    ...Object.fromEntries(durationsOf('warm_up')),
  },
};
export const setup = prepareUsers(10_000);
export const handleSummary = summaryOf('ten-thousand-users', options);

/** Users in turns, so that each has the same pause between its calls. */
export default function (made) {
  callOf(userAt(made, exec.scenario.iterationInTest));
}
