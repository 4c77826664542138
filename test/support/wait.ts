import { setTimeout as sleep } from 'node:timers/promises';

export interface WaitOptions {
  readonly timeoutMs?: number;
  readonly intervalMs?: number;
  /** For the message of the error, such as `the mail to a@b.c`. */
  readonly what?: string;
  /** Stops waiting at once. */
  readonly signal?: AbortSignal;
}

/**
 * Evaluates the condition until it returns something other than null, undefined or false, and returns that.
 * @throws Error after the timeout (10 s), with the condition's last error as its cause.
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  { timeoutMs = 10_000, intervalMs = 50, what = 'a condition', signal }: WaitOptions = {},
): Promise<Exclude<T, null | undefined | false>> {
  const deadline = Date.now() + timeoutMs;
  let failure: unknown;
  do {
    try {
      const value = await condition();
      if (isGiven(value)) return value;
      failure = undefined;
    } catch (error) {
      failure = error;
    }
    await sleep(intervalMs, undefined, signal === undefined ? {} : { signal });
  } while (Date.now() < deadline);
  throw new Error(`Waited ${timeoutMs} ms in vain for ${what}.`, { cause: failure });
}

/**
 * Like waitFor, for something that a process should do: fails at once if the process ends instead.
 * @param ended Settles when the process has ended.
 */
export async function waitUnlessEnded<T>(
  ended: Promise<unknown>,
  condition: () => T | Promise<T>,
  options: WaitOptions = {},
): Promise<void> {
  const waiting = new AbortController();
  const met = waitFor(condition, { ...options, signal: waiting.signal });
  const tooEarly = ended.then((result) => {
    throw new Error(`It ended with ${String(result)}.`);
  });
  try {
    await Promise.race([met, tooEarly]);
  } finally {
    waiting.abort();
    await Promise.allSettled([met]);
    tooEarly.catch(() => undefined);
  }
}

function isGiven<T>(value: T): value is Exclude<T, null | undefined | false> {
  return value !== null && value !== undefined && value !== false;
}
