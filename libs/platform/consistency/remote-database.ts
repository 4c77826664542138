import { failAfter } from '../async/with-timeout.js';
import { outsideOfCalls } from '../context/call-context.js';
import { logger } from '../logging/logger.js';
import type { DatabaseOwner } from './database-owner.port.js';
import type { DatabaseTrust } from './database-trust.js';

const pollMs = 250;
const timeoutMs = 750;

/** Asks the owner of a database four times a second, and tells what it says to the trust in that database. */
export class RemoteDatabase {
  private timer: NodeJS.Timeout | undefined;
  private isStopped = true;

  constructor(
    readonly owner: DatabaseOwner,
    readonly trust: DatabaseTrust,
  ) {}

  /** Resolves when the owner was asked once. */
  async start(): Promise<void> {
    this.isStopped = false;
    await outsideOfCalls(() => this.poll());
  }

  stop(): void {
    this.isStopped = true;
    clearTimeout(this.timer);
  }

  private async poll(): Promise<void> {
    const sentAt = performance.now();
    try {
      const { ageMs, ...report } = await failAfter(this.owner.report(), timeoutMs, 'database owner');
      if (!Number.isFinite(ageMs)) throw new Error('The owner says no age.');
      // The owner's age counts from before this question was answered, so from `sentAt` it is no younger than it says.
      this.trust.hear({ ...report, askedAt: sentAt - ageMs });
    } catch (error) {
      this.trust.checkFreshness(performance.now());
      logger.debug({ err: error, features: this.owner.features }, 'the owner of a database does not answer');
    }
    if (this.isStopped) return;
    this.timer = setTimeout(() => void this.poll(), pollMs);
    this.timer.unref();
  }
}
