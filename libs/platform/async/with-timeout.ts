/** What `answerWithin` gives where no answer came in time. */
export const late = Symbol('late');

/**
 * The answer, or `late` after that time. The time is up only when what has arrived meanwhile has been read: a busy process
 * must not blame the other end.
 */
export function answerWithin<T>(answer: Promise<T>, ms: number): Promise<T | typeof late> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => setImmediate(() => resolve(late)), ms);
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** The answer. @throws Error that counts as a database that is not available, where none came in that time */
export async function requireWithin<T>(answer: Promise<T>, ms: number): Promise<T> {
  const found = await answerWithin(answer, ms);
  if (found === late) throw new Error(`timeout expired: no answer within ${ms} ms`);
  return found;
}
