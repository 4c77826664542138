// The product's objectives (monitoring/rules/objectives.ts and traffic.ts; a test compares them) as thresholds of k6.

/** Share of calls that may end with a 5xx or without a response. */
export const maxErrorShare = 0.001;
/** Share of the other calls that may take longer than `slowMs`. */
export const maxSlowShare = 0.01;
export const slowMs = 300;

/** For the calls of these scenarios. The empty list makes k6 keep the durations of the scenario apart. */
export function objectivesOf(...scenarios) {
  return {
    calls: ['count>0'],
    dropped_iterations: ['count==0'],
    ...Object.fromEntries(
      scenarios.flatMap((scenario) => [
        [`server_errors{scenario:${scenario}}`, [`rate<=${maxErrorShare}`]],
        [`slow_calls{scenario:${scenario}}`, [`rate<=${maxSlowShare}`]],
        ...durationsOf(scenario),
      ]),
    ),
  };
}

export const durationsOf = (scenario) => [[`http_req_duration{scenario:${scenario}}`, []]];
