// A steady rate for a long time: finds memory that grows, connections that leak, tables that bloat.
import { objectivesOf } from './objectives.js';
import { common, number, seconds, steady } from './settings.js';
import { summaryOf } from './summary.js';
import { oneCall } from './traffic.js';
import { prepareUsers } from './users.js';

export const options = {
  ...common,
  scenarios: { soak: steady(number('RATE', 100), seconds('DURATION', '30m')) },
  thresholds: objectivesOf('soak'),
};
export const setup = prepareUsers();
export const handleSummary = summaryOf('soak', options);
export default oneCall;
