// The load of an ordinary hour: a steady rate.
import { objectivesOf } from './objectives.js';
import { common, number, seconds, steady } from './settings.js';
import { summaryOf } from './summary.js';
import { oneCall } from './traffic.js';
import { prepareUsers } from './users.js';

export const options = {
  ...common,
  scenarios: { average: steady(number('RATE', 100), seconds('DURATION', '5m')) },
  thresholds: objectivesOf('average'),
};
export const setup = prepareUsers();
export const handleSummary = summaryOf('average', options);
export default oneCall;
