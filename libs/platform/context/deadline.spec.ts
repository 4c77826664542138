import { DeadlineExceeded } from '../errors/common-errors.js';
import { Deadline } from './deadline.js';

const never = new Promise<never>(() => undefined);

describe('the deadline of a call', () => {
  it('ends whoever waits on behalf of the call, all at once', async () => {
    const deadline = new Deadline(20);
    const aborted: unknown[] = [];
    const waiting = [
      deadline.limit(never),
      deadline.limit(never),
      deadline.withSignal(
        (signal) =>
          new Promise<never>((_, reject) => {
            signal.addEventListener('abort', () => {
              aborted.push(signal.reason);
              reject(signal.reason as Error);
            });
          }),
      ),
    ];
    for (const each of waiting) await expect(each).rejects.toBeInstanceOf(DeadlineExceeded);
    expect(aborted).toHaveLength(1);
    expect(deadline.isExpired).toBe(true);
    expect(() => deadline.throwIfExpired()).toThrow(DeadlineExceeded);
  });

  it('is told at once to whoever asks after it', async () => {
    const deadline = new Deadline(1);
    await expect(deadline.limit(never)).rejects.toBeInstanceOf(DeadlineExceeded);
    await expect(deadline.limit(never)).rejects.toBeInstanceOf(DeadlineExceeded);
  });

  it('changes nothing for work that is done in time', async () => {
    const deadline = new Deadline(10_000);
    await expect(deadline.limit(Promise.resolve(1))).resolves.toBe(1);
    await expect(deadline.limit(Promise.reject(new Error('its own')))).rejects.toThrow('its own');
    deadline.end();
  });

  it('never comes once the call has its answer, nor where there is none', async () => {
    const deadline = new Deadline(1);
    let isTold = false;
    deadline.onExpired(() => (isTold = true));
    deadline.end();
    const other = new Deadline(5);
    await expect(other.limit(never)).rejects.toBeInstanceOf(DeadlineExceeded);
    expect(isTold).toBe(false);
    expect(deadline.isExpired).toBe(false);
    await expect(Deadline.none.limit(Promise.resolve(2))).resolves.toBe(2);
  });

  it('is no longer told to whoever has cancelled', async () => {
    const deadline = new Deadline(5);
    let isTold = false;
    deadline.onExpired(() => (isTold = true))();
    await expect(deadline.limit(never)).rejects.toBeInstanceOf(DeadlineExceeded);
    expect(isTold).toBe(false);
  });
});
