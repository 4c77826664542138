// Few calls: does the API answer, and do the scripts work? Its defaults fit the default rate limits.
import { objectivesOf } from './objectives.js';
import { common, number, seconds, steady } from './settings.js';
import { summaryOf } from './summary.js';
import { oneCall } from './traffic.js';
import { prepareUsers } from './users.js';

export const options = {
  ...common,
  scenarios: { smoke: steady(number('RATE', 5), seconds('DURATION', '20s')) },
  thresholds: { failed_calls: ['count==0'], ...objectivesOf('smoke') },
};
export const setup = prepareUsers(5);
export const handleSummary = summaryOf('smoke', options);
export default oneCall;
