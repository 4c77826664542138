import { setTimeout as sleep } from 'node:timers/promises';
import { BackgroundLoop } from './background-loop.js';

/** A loop that counts its runs, each of which takes `workMs`. */
function counting({ workMs = 0, pollMs }: { workMs?: number; pollMs?: number } = {}) {
  let runs = 0;
  const work = async () => {
    runs++;
    if (workMs > 0) await sleep(workMs);
  };
  const loop = new BackgroundLoop({ name: 'test', work, ...(pollMs !== undefined && { pollMs }) });
  return { loop, runs: () => runs };
}

const untilRuns = async (runs: () => number, count: number): Promise<void> => {
  while (runs() < count) await sleep(5);
};

describe('a background loop', () => {
  it('runs while it is woken again and again, more often than the delay', async () => {
    const { loop, runs } = counting();
    loop.start();
    await untilRuns(runs, 1);
    const waking = setInterval(() => loop.wake(100), 10);
    try {
      await untilRuns(runs, 4);
    } finally {
      clearInterval(waking);
      await loop.stop();
    }
  });

  it('runs sooner where a later call asks for that', async () => {
    const { loop, runs } = counting();
    loop.start();
    await untilRuns(runs, 1);
    loop.wake(60_000);
    loop.wake();
    await untilRuns(runs, 2);
    await loop.stop();
  });

  it('runs once more after a run in which it was woken, as soon as the most urgent call asks', async () => {
    const { loop, runs } = counting({ workMs: 50, pollMs: 60_000 });
    loop.start();
    await untilRuns(runs, 1);
    loop.wake();
    loop.wake(60_000);
    await untilRuns(runs, 2);
    await loop.stop();
    expect(runs()).toBe(2);
  });

  it('does not run any more once it is stopped', async () => {
    const { loop, runs } = counting();
    loop.start();
    await untilRuns(runs, 1);
    await loop.stop();
    loop.wake();
    await sleep(20);
    expect(runs()).toBe(1);
  });
});
