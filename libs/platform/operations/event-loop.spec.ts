import { setTimeout as sleep } from 'node:timers/promises';
import { registry } from './registry.js';
import './event-loop.js';

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
