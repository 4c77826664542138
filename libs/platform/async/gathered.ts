interface Waiting<Q, A> {
  readonly question: Q;
  readonly resolve: (answer: A) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Gathers the questions that come within one turn of the event loop, and asks them together: one message instead of many.
 * `ask` gets at most `max` questions and returns their answers in the same order; where it fails, it fails for all of them.
 */
export class Gathered<Q, A> {
  private waiting: Waiting<Q, A>[] = [];

  constructor(
    private readonly ask: (questions: readonly Q[]) => Promise<readonly A[]>,
    private readonly max: number,
  ) {}

  get(question: Q): Promise<A> {
    return new Promise((resolve, reject) => {
      // After all that has arrived in this turn was read.
      if (this.waiting.length === 0) setImmediate(this.flush);
      this.waiting.push({ question, resolve, reject });
      if (this.waiting.length >= this.max) this.flush();
    });
  }

  private readonly flush = (): void => {
    const { waiting } = this;
    if (waiting.length === 0) return;
    this.waiting = [];
    this.ask(waiting.map(({ question }) => question)).then(
      (answers) => waiting.forEach(({ resolve }, n) => resolve(answers[n] as A)),
      (error: unknown) => waiting.forEach(({ reject }) => reject(error)),
    );
  };
}
