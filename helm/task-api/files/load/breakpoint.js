// A rate that rises until an objective is missed: how much can the API take? The run ends there, and `offered_rate` is the
// rate in calls per second at that moment. It is a little more than the API can take, since k6 judges all calls so far.
import exec from 'k6/execution';
import { Gauge } from 'k6/metrics';
import { durationsOf, maxErrorShare, maxSlowShare } from './objectives.js';
import { common, number, ramping, seconds } from './settings.js';
import { summaryOf } from './summary.js';
import { oneCall } from './traffic.js';
import { prepareUsers } from './users.js';

const maxRate = number('MAX_RATE', 5000);
const duration = seconds('DURATION', '10m');
const offered = new Gauge('offered_rate');
const ends = (threshold) => [{ threshold, abortOnFail: true, delayAbortEval: '10s' }];

export const options = {
  ...common,
  scenarios: { breakpoint: ramping(1, [[maxRate, duration]]) },
  thresholds: {
    'server_errors{scenario:breakpoint}': ends(`rate<=${maxErrorShare}`),
    'slow_calls{scenario:breakpoint}': ends(`rate<=${maxSlowShare}`),
    dropped_iterations: ends('count==0'),
    ...Object.fromEntries(durationsOf('breakpoint')),
  },
};
export const setup = prepareUsers();
export const handleSummary = summaryOf('breakpoint', options);

export default function (made) {
  const passed = (Date.now() - exec.scenario.startTime) / 1000;
  offered.add(Math.round((maxRate * passed) / duration));
  oneCall(made);
}
