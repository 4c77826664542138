/** What `withTimeout` gives where no answer came in time. */
export const timedOut = Symbol('timedOut');

/**
 * The answer, or `timedOut` after that time. The time is up only when what has arrived meanwhile has been read: a busy process
 * must not blame the other end.
 */
export function withTimeout<T>(answer: Promise<T>, ms: number): Promise<T | typeof timedOut> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => setImmediate(() => resolve(timedOut)), ms);
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** The answer. @throws Error that counts as a database that is not available, where none came in that time */
export async function failAfter<T>(answer: Promise<T>, ms: number): Promise<T> {
  const found = await withTimeout(answer, ms);
  if (found === timedOut) throw new Error(`timeout expired: no answer within ${ms} ms`);
  return found;
}
