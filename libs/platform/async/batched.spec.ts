import { Batched } from './batched.js';

/** Calls that end when the test says so. */
function openCalls() {
  const calls: PromiseWithResolvers<number>[] = [];
  const batched = new Batched(() => {
    const call = Promise.withResolvers<number>();
    calls.push(call);
    return call.promise;
  });
  return { calls, batched };
}

/** Lets everything run that waits for nothing. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('batched calls', () => {
  it('give one answer to all who ask at once', async () => {
    const { calls, batched } = openCalls();
    const answers = [batched.get(), batched.get(), batched.get()];
    await settle();
    expect(calls).toHaveLength(1);
    calls[0]?.resolve(1);
    await expect(Promise.all(answers)).resolves.toEqual([1, 1, 1]);
  });

  it('answer nobody by a call that began before he asked', async () => {
    const { calls, batched } = openCalls();
    const first = batched.get();
    await settle();
    const later = [batched.get(), batched.get()];
    await settle();
    expect(calls).toHaveLength(1);
    calls[0]?.resolve(1);
    await expect(first).resolves.toBe(1);
    await settle();
    expect(calls).toHaveLength(2);
    calls[1]?.resolve(2);
    await expect(Promise.all(later)).resolves.toEqual([2, 2]);
  });

  it('go on after one that failed, which fails only for those who shared it', async () => {
    const { calls, batched } = openCalls();
    const first = batched.get();
    await settle();
    const second = batched.get();
    calls[0]?.reject(new Error('no answer'));
    await expect(first).rejects.toThrow('no answer');
    await settle();
    calls[1]?.resolve(2);
    await expect(second).resolves.toBe(2);
  });

  it('go on after one that threw before it gave a promise', async () => {
    let count = 0;
    const batched = new Batched(() => {
      count++;
      if (count === 1) throw new Error('at once');
      return Promise.resolve(count);
    });
    await expect(batched.get()).rejects.toThrow('at once');
    await expect(batched.get()).resolves.toBe(2);
  });

  it('never run two at a time', async () => {
    let running = 0;
    let most = 0;
    const batched = new Batched(async () => {
      most = Math.max(most, ++running);
      await settle();
      running--;
    });
    await Promise.all(
      Array.from({ length: 50 }, async (_, n) => {
        for (let turn = 0; turn < n % 5; turn++) await settle();
        await batched.get();
      }),
    );
    expect(most).toBe(1);
  });
});
