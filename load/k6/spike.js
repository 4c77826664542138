// An ordinary rate, ten times as much within seconds (PEAK sets another factor), and back. The objectives must hold before and
// after; in between calls may be slow, but none may end with a 5xx or without a response.
import { durationsOf, maxErrorShare, objectivesOf } from './objectives.js';
import { common, number, ramping, seconds, steady } from './settings.js';
import { summaryOf } from './summary.js';
import { oneCall } from './traffic.js';
import { prepareUsers } from './users.js';

const rate = number('RATE', 50);
const peak = rate * number('PEAK', 10);
const part = seconds('DURATION', '3m') / 3;
const rise = Math.min(10, part / 4);
const at = (start) => ({ startTime: `${Math.round(start)}s` });

export const options = {
  ...common,
  scenarios: {
    before: steady(rate, Math.round(part)),
    spike: ramping(
      rate,
      [
        [peak, rise],
        [peak, part - 2 * rise],
        [rate, rise],
      ],
      at(part),
    ),
    // Calls that still wait at the end of the peak may take their time.
    after: steady(rate, Math.round(part), at(2 * part + 5)),
  },
  thresholds: {
    ...objectivesOf('before', 'after'),
    'server_errors{scenario:spike}': [`rate<=${maxErrorShare}`],
    ...Object.fromEntries(durationsOf('spike')),
  },
};
export const setup = prepareUsers();
export const handleSummary = summaryOf('spike', options);
export default oneCall;
