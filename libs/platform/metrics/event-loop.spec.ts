import { setTimeout as sleep } from 'node:timers/promises';
import { watchEventLoop } from './event-loop.js';
import { Metrics } from './metrics.js';

const metrics = new Metrics();
const { registry } = metrics;
let endWatch: () => void;
beforeAll(() => {
  endWatch = watchEventLoop(metrics);
});
afterAll(() => endWatch());

const read = async () => {
  const metric = (await registry.getMetricsAsJSON()).find(
    ({ name }) => name === 'nodejs_eventloop_utilization',
  );
  return Number((metric as { values: { value: number }[] } | undefined)?.values[0]?.value);
};

describe('the utilization of the event loop', () => {
  it('is high while it computes, low while it waits, each since the last reading', async () => {
    await read();
    for (const end = Date.now() + 200; Date.now() < end;);
    expect(await read()).toBeGreaterThan(0.8);
    await sleep(300);
    expect(await read()).toBeLessThan(0.5);
  });
});

describe('the delay of the event loop', () => {
  it('is counted while it is watched, and stays counted when it has been read', async () => {
    const slowOnes = async () => {
      const text = await registry.getSingleMetricAsString('nodejs_eventloop_delay_seconds');
      const upTo = (bound: string) => Number(text.split(`le="${bound}"} `)[1]?.split('\n')[0]);
      return upTo('+Inf') - upTo('0.1');
    };
    const end = endWatch;
    await sleep(50);
    for (const until = Date.now() + 200; Date.now() < until;);
    await sleep(50);
    end();
    const counted = await slowOnes();
    expect(counted).toBeGreaterThanOrEqual(1);
    expect(await slowOnes()).toBe(counted);
  });
});
