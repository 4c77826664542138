import { RunningOperation } from './operation.js';
import { HistogramSeries } from '../metrics/series.js';
import { ReadBatches, type BatchedRead } from './read-batches.js';
import { quick } from './statement.js';

const statement = quick('SELECT $1');
const series = new HistogramSeries([1]);
const running = new RunningOperation(series, series, () => undefined);

/** Each batch waits until it is let go; its answers are the values of its reads. */
function held() {
  const batches: { readonly values: readonly unknown[]; readonly end: (failure?: Error) => void }[] = [];
  const reads = new ReadBatches(
    (batch) =>
      new Promise((resolve, reject) => {
        const values = batch.map((read) => read.values[0]);
        const end = (failure?: Error) =>
          failure === undefined ? resolve(values.map((value) => [[String(value)]])) : reject(failure);
        batches.push({ values, end });
      }),
  );
  const add = (value: unknown) => reads.add({ statement, values: [value], running } satisfies BatchedRead);
  return { batches, add };
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

describe('reads that share a connection', () => {
  it('go together where they come in one turn, and each gets its own answer', async () => {
    const { batches, add } = held();
    const answers = [1, 2, 3].map(add);
    await nextTurn();
    expect(batches.map(({ values }) => values)).toEqual([[1, 2, 3]]);
    batches[0]?.end();
    await expect(Promise.all(answers)).resolves.toEqual([[['1']], [['2']], [['3']]]);
  });

  it('are never more than sixteen in a batch, nor more than four batches at a time', async () => {
    const { batches, add } = held();
    const answers = Array.from({ length: 100 }, (_, n) => add(n));
    for (let turn = 0; turn < 10; turn++) await nextTurn();
    expect(batches.map(({ values }) => values.length)).toEqual([16, 16, 16, 16]);
    while (batches.length < 7) {
      for (const { end } of batches) end();
      await nextTurn();
      await nextTurn();
    }
    for (const { end } of batches) end();
    await expect(Promise.all(answers)).resolves.toHaveLength(100);
    expect(batches.flatMap(({ values }) => values)).toEqual(Array.from({ length: 100 }, (_, n) => n));
  });

  it('fail together where their batch does, and the next ones do not', async () => {
    const { batches, add } = held();
    const failed = [1, 2].map(add);
    await nextTurn();
    batches[0]?.end(new Error('lost'));
    for (const answer of failed) await expect(answer).rejects.toThrow('lost');
    const next = add(3);
    await nextTurn();
    await nextTurn();
    batches[1]?.end();
    await expect(next).resolves.toEqual([['3']]);
  });
});
