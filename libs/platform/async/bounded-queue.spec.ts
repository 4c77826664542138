import { BoundedQueue } from './bounded-queue.js';

/** Jobs that run until they are told to end. */
function startJobs(queue: BoundedQueue, count: number) {
  const ends: (() => void)[] = [];
  let most = 0;
  let running = 0;
  const job = async (): Promise<void> => {
    most = Math.max(most, ++running);
    await new Promise<void>((resolve) => ends.push(resolve));
    running--;
  };
  const results = Array.from({ length: count }, () => queue.run(job));
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  const endOne = async (): Promise<void> => {
    await settle();
    ends.shift()?.();
    await settle();
  };
  return { results, endOne, most: () => most, running: () => running };
}

const refusal = () => new Error('full');

describe('BoundedQueue', () => {
  it('never runs more jobs at once than it may', async () => {
    const jobs = startJobs(new BoundedQueue({ concurrency: 2, queue: 100 }, refusal), 20);
    for (let ended = 0; ended < 20; ended++) await jobs.endOne();
    await Promise.all(jobs.results);
    expect(jobs.most()).toBe(2);
  });

  it('refuses at once what finds the queue full', async () => {
    const queue = new BoundedQueue({ concurrency: 2, queue: 3 }, refusal);
    const jobs = startJobs(queue, 5);
    await expect(queue.run(() => Promise.resolve())).rejects.toThrow('full');
    for (let ended = 0; ended < 5; ended++) await jobs.endOne();
    await expect(Promise.all(jobs.results)).resolves.toHaveLength(5);
  });

  it('holds places for those who find out what their job is', async () => {
    const queue = new BoundedQueue({ concurrency: 1, queue: 1 }, refusal);
    const found = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
    const asked = found.map(({ promise }) => queue.holdingPlace(() => promise));
    await expect(queue.holdingPlace(() => Promise.resolve())).rejects.toThrow('full');
    await expect(queue.run(() => Promise.resolve())).rejects.toThrow('full');
    found[0]?.resolve('job');
    found[1]?.reject(new Error('not found'));
    await expect(asked[0]).resolves.toBe('job');
    await expect(asked[1]).rejects.toThrow('not found');
    await expect(queue.run(() => Promise.resolve('ran'))).resolves.toBe('ran');
  });

  it('takes jobs again when waiting ones have gone on', async () => {
    const queue = new BoundedQueue({ concurrency: 1, queue: 1 }, refusal);
    const jobs = startJobs(queue, 2);
    await jobs.endOne();
    const late = queue.run(() => Promise.resolve('late'));
    await jobs.endOne();
    await expect(late).resolves.toBe('late');
  });

  it('gives the place of a failed job to the next one', async () => {
    const queue = new BoundedQueue({ concurrency: 1, queue: 1 }, refusal);
    const failed = queue.run(() => Promise.reject(new Error('broken')));
    const next = queue.run(() => Promise.resolve('next'));
    await expect(failed).rejects.toThrow('broken');
    await expect(next).resolves.toBe('next');
  });
});
