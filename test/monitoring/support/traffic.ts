import { setTimeout as sleep } from 'node:timers/promises';
import { Caller } from '../../../load/support/caller.js';
import { callOf, Mix } from '../../../load/support/mix.js';
import type { LoadUser } from '../../../load/support/users.js';
import { client } from '../../support/client.js';
import type { Stage } from './stage.js';

const users = 12;
const tasksOfEach = 30;

/** Users with tasks; 90 of 100 calls are reads, as in the benchmarks, sent to both processes in turn. */
export class Traffic {
  private readonly mix = new Mix(1, users, 1);
  private readonly callers: readonly Caller[];
  private running: Promise<void> = Promise.resolve();
  private isStopped = true;

  private constructor(
    stage: Stage,
    private readonly users: readonly LoadUser[],
  ) {
    this.callers = stage.apis.map(({ url }) => new Caller(url));
  }

  static async create(stage: Stage): Promise<Traffic> {
    const found: LoadUser[] = [];
    for (let n = 0; n < users; n++) found.push(await newUser(stage, n));
    return new Traffic(stage, found);
  }

  readonly send = (n: number): Promise<number> => {
    const step = this.mix.next();
    const [caller, user] = [this.callers[n % this.callers.length], this.users[step.user]];
    if (caller === undefined || user === undefined) throw new Error('There is nobody to send it to.');
    return caller.send(callOf(step, user, n));
  };

  /** Sends calls at a steady rate until it is paused; missing responses delay nothing. */
  resume(perSecond: number): void {
    this.isStopped = false;
    this.running = this.flow(perSecond);
  }

  /** Pauses and waits until every call is answered. */
  async pause(): Promise<void> {
    this.isStopped = true;
    await this.running;
  }

  async stop(): Promise<void> {
    await this.pause();
    for (const caller of this.callers) caller.close();
  }

  private async flow(perSecond: number): Promise<void> {
    const start = performance.now();
    const pending = new Set<Promise<unknown>>();
    for (let n = 0; !this.isStopped; n++) {
      const sending = this.send(n).finally(() => pending.delete(sending));
      pending.add(sending);
      await sleep(Math.max(0, start + (n * 1000) / perSecond - performance.now()));
    }
    await Promise.all(pending);
  }
}

async function newUser({ apis }: Stage, n: number): Promise<LoadUser> {
  const calls = client(apis[n % apis.length]?.url);
  const { accessToken: token } = await calls.registerAndLogin();
  const operations = Array.from({ length: tasksOfEach }, (_, task) => ({
    op: 'create',
    data: { title: `Task ${task}`, tags: ['monitored'], status: task % 3 === 0 ? 'done' : 'todo' },
  }));
  const answer = await calls.request<{ results: { task: { id: string } }[] }>('POST', '/v1/tasks/bulk', {
    token,
    body: { operations },
  });
  calls.close();
  return { token, taskIds: answer.body.results.map(({ task }) => task.id) };
}
