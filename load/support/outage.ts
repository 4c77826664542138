import type { Deployment } from './deployment.js';
import { Caller } from './caller.js';
import { say } from './figures.js';
import { latencies, statuses, type Sample, type Send } from './load.js';
import { callOf, Mix, type Step } from './mix.js';
import { percentile } from './percentile.js';
import type { LoadUser } from './users.js';

/** Sends the mix of reads and writes to the processes in turn. */
export class MixedLoad {
  private readonly steps: Step[] = [];
  private readonly mix: Mix;
  private readonly callers: readonly Caller[];
  private readonly users: readonly LoadUser[];

  constructor(apis: Deployment['apis'], users: readonly LoadUser[], seed: number) {
    this.users = users;
    this.callers = apis.map(({ url }) => new Caller(url));
    this.mix = new Mix(seed, users.length, 1);
  }

  readonly send: Send = (n) => {
    const step = this.stepOf(n);
    const [caller, user] = [this.callers[n % this.callers.length], this.users[step.user]];
    if (caller === undefined || user === undefined) throw new Error('There is nobody to send it to.');
    return caller.send(callOf(step, user, n));
  };

  isRead({ n }: Sample): boolean {
    return this.stepOf(n).kind.writes === null;
  }

  isCreate({ n }: Sample): boolean {
    return this.stepOf(n).kind.name === 'create';
  }

  close(): void {
    for (const caller of this.callers) caller.close();
  }

  private stepOf(n: number): Step {
    while (this.steps.length <= n) this.steps.push(this.mix.next());
    return this.steps[n] ?? this.mix.next();
  }
}

/** A part of a run, in milliseconds from its start. A call belongs to the phase in which it was due. */
export interface Phase {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

export const within = (samples: readonly Sample[], { from, to }: Phase): Sample[] =>
  samples.filter(({ at }) => at >= from && at < to);

export const isFailed = ({ status }: Sample): boolean => status < 200 || status >= 300;

export const p99 = (samples: readonly Sample[]): number =>
  percentile(
    samples.map(({ latencyMs }) => latencyMs),
    0.99,
  );

export function tell(phases: readonly Phase[], samples: readonly Sample[], load: MixedLoad): void {
  for (const phase of phases) {
    const all = within(samples, phase);
    say(`  ${phase.name}, ${((phase.to - phase.from) / 1000).toFixed(1)} s`);
    for (const [name, isWanted] of [
      ['reads', true],
      ['writes', false],
    ] as const) {
      const some = all.filter((sample) => load.isRead(sample) === isWanted);
      say(`    ${name.padEnd(6)} ${latencies(some)}  ${JSON.stringify(statuses(some))}`);
    }
  }
}
