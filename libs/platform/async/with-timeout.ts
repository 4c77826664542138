/** What `withTimeout` returns on a timeout. */
export const timedOut = Symbol('timedOut');

/** No answer came in time. */
export class TimeoutError extends Error {
  constructor(what: string, timeoutMs: number) {
    super(`${what}: no answer within ${timeoutMs} ms`);
    this.name = new.target.name;
  }
}

/**
 * The answer, or `timedOut` after that time. An answer that has arrived by then still counts, even where this process was
 * too busy to read it: the other end is not at fault.
 */
export function withTimeout<T>(answer: Promise<T>, timeoutMs: number): Promise<T | typeof timedOut> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => setImmediate(() => resolve(timedOut)), timeoutMs);
    const stop = () => clearTimeout(timer);
    answer.then(stop, stop);
    answer.then(resolve, reject);
  });
}

/** The answer. @throws TimeoutError, which names `what`, where none came in that time */
export async function failAfter<T>(answer: Promise<T>, timeoutMs: number, what: string): Promise<T> {
  const found = await withTimeout(answer, timeoutMs);
  if (found === timedOut) throw new TimeoutError(what, timeoutMs);
  return found;
}
