import { NoConnection } from './connection-errors.js';
import { Batches } from './batches.js';
import type { BatchedRead, ReadAnswer } from './batched-read.js';
import { quick } from './statement.js';

const statement = quick('SELECT $1');

/** Each batch waits until it is ended. */
function held(maxWaitMs = 1000) {
  const batches: { readonly reads: readonly BatchedRead[]; readonly end: (failure?: Error) => void }[] = [];
  const queue = new Batches<BatchedRead>({
    run: (reads) =>
      new Promise((resolve, reject) => {
        const answerAll = () => {
          for (const read of reads) read.answer([[String(read.values[0])]]);
          resolve();
        };
        batches.push({ reads, end: (failure) => (failure === undefined ? answerAll() : reject(failure)) });
      }),
    maxWaitMs,
  });
  const add = (value: unknown) => {
    let read: BatchedRead | undefined;
    const answer = new Promise<ReadAnswer>((resolve, reject) => {
      const common = { statement, isGood: () => true, begin: () => undefined };
      read = { ...common, values: [value], answer: resolve, fail: reject };
      queue.add(read);
    });
    return { answer, remove: () => read && queue.remove(read) };
  };
  return { batches, queue, add };
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));
const valuesOf = (reads: readonly BatchedRead[]) => reads.map(({ values }) => values[0]);

describe('reads that share a connection', () => {
  it('go together where they come in one turn, and each gets its own answer', async () => {
    const { batches, add } = held();
    const answers = [1, 2, 3].map((value) => add(value).answer);
    await nextTurn();
    expect(batches.map(({ reads }) => valuesOf(reads))).toEqual([[1, 2, 3]]);
    batches[0]?.end();
    await expect(Promise.all(answers)).resolves.toEqual([[['1']], [['2']], [['3']]]);
  });

  it('are never more than sixteen in a batch, nor more than four batches at a time', async () => {
    const { batches, queue, add } = held();
    const answers = Array.from({ length: 100 }, (_, n) => add(n).answer);
    for (let turn = 0; turn < 10; turn++) await nextTurn();
    expect(batches.map(({ reads }) => reads.length)).toEqual([16, 16, 16, 16]);
    expect(queue.pending).toBe(36);
    while (batches.length < 7) {
      for (const { end } of batches) end();
      await nextTurn();
      await nextTurn();
    }
    for (const { end } of batches) end();
    await expect(Promise.all(answers)).resolves.toHaveLength(100);
    expect(batches.flatMap(({ reads }) => valuesOf(reads))).toEqual(Array.from({ length: 100 }, (_, n) => n));
  });

  it('fail together where there is no connection, and the next ones do not', async () => {
    const { batches, add } = held();
    const failed = [add(1), add(2)];
    await nextTurn();
    batches[0]?.end(new Error('lost'));
    for (const { answer } of failed) await expect(answer).rejects.toThrow('lost');
    const next = add(3);
    await nextTurn();
    await nextTurn();
    batches[1]?.end();
    await expect(next.answer).resolves.toEqual([['3']]);
  });

  it('are not sent where nobody waits for them any more', async () => {
    const { batches, queue, add } = held();
    const [first, second] = [add(1), add(2)];
    first.remove();
    await nextTurn();
    batches[0]?.end();
    await expect(second.answer).resolves.toEqual([['2']]);
    expect([batches.length, valuesOf(batches[0]?.reads ?? []), queue.pending]).toEqual([1, [2], 0]);
  });

  it('are refused where others keep them from being sent for too long', async () => {
    const { batches, queue, add } = held(50);
    const sent = Array.from({ length: 64 }, (_, n) => add(n).answer);
    for (let turn = 0; turn < 10; turn++) await nextTurn();
    await expect(add('late').answer).rejects.toThrow(NoConnection);
    expect(queue.pending).toBe(0);
    for (const { end } of batches) end();
    await expect(Promise.all(sent)).resolves.toHaveLength(64);
  });
});
