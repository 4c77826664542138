import type { Api } from '../../test/support/api.js';
import { cpuSeconds } from './cpu.js';
import { inTurns } from './load.js';
import { isFailed, MixedLoad } from './outage.js';
import type { LoadUser } from './users.js';

const clients = 8;
const seed = 7;

/** One of two processes that are compared. Each gets the same steps. */
export class Side {
  private readonly api: Api;
  private readonly load: MixedLoad;
  private sent = 0;

  constructor(api: Api, users: readonly LoadUser[]) {
    this.api = api;
    this.load = new MixedLoad([api], users, seed);
  }

  /** Runs the next steps. @returns the CPU time that the process used for them, in seconds */
  async run(steps: number): Promise<number> {
    const first = this.sent;
    this.sent += steps;
    const before = cpuSeconds([this.api.pid]);
    const samples = await inTurns(
      clients,
      (n) => this.load.send(first + n),
      (n) => n < steps,
    );
    const seconds = cpuSeconds([this.api.pid]) - before;
    const failed = samples.find(isFailed);
    if (failed !== undefined) throw new Error(`A request was not served: ${failed.status}`);
    return seconds;
  }

  close(): void {
    this.load.close();
  }
}
