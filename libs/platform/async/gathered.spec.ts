import { Gathered } from './gathered.js';

/** Answers each number with its double, and records what was asked together. */
function doubles(max: number) {
  const asked: (readonly number[])[] = [];
  const gathered = new Gathered<number, number>((questions) => {
    asked.push(questions);
    return questions.includes(13)
      ? Promise.reject(new Error('unlucky'))
      : Promise.resolve(questions.map((n) => 2 * n));
  }, max);
  return { asked, gathered };
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

describe('gathered questions', () => {
  it('of one turn are asked together, and each gets its own answer', async () => {
    const { asked, gathered } = doubles(10);
    await expect(Promise.all([1, 2, 3].map((n) => gathered.get(n)))).resolves.toEqual([2, 4, 6]);
    expect(asked).toEqual([[1, 2, 3]]);
  });

  it('of different turns are asked apart', async () => {
    const { asked, gathered } = doubles(10);
    const first = gathered.get(1);
    await nextTurn();
    const second = gathered.get(2);
    await Promise.all([first, second]);
    expect(asked).toEqual([[1], [2]]);
  });

  it('are never more than the maximum at a time', async () => {
    const { asked, gathered } = doubles(2);
    await expect(Promise.all([1, 2, 3, 4, 5].map((n) => gathered.get(n)))).resolves.toEqual([2, 4, 6, 8, 10]);
    expect(asked).toEqual([[1, 2], [3, 4], [5]]);
  });

  it('fail together, and only together', async () => {
    const { gathered } = doubles(2);
    const results = await Promise.allSettled([1, 13, 3].map((n) => gathered.get(n)));
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
  });
});
