// Once, twice and three times the rate of an ordinary hour, each held for a while, and back.
import { objectivesOf } from './objectives.js';
import { common, number, ramping, seconds } from './settings.js';
import { summaryOf } from './summary.js';
import { oneCall } from './traffic.js';
import { prepareUsers } from './users.js';

const rate = number('RATE', 100);
const duration = seconds('DURATION', '10m');
const steps = [1, 2, 3].flatMap((times) => [
  [rate * times, duration * 0.1],
  [rate * times, duration * 0.2],
]);

export const options = {
  ...common,
  scenarios: { stress: ramping(0, [...steps, [0, duration * 0.1]]) },
  thresholds: objectivesOf('stress'),
};
export const setup = prepareUsers();
export const handleSummary = summaryOf('stress', options);
export default oneCall;
