import { randomBytes } from 'node:crypto';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { hash, parseOptions, verify } from '@node-rs/argon2';
import { ServiceUnavailable } from '../../platform/errors/common-errors.js';
import { CONFIG } from '../../platform/config/config.token.js';
import type { AuthConfig } from '../auth.config.js';
import { BoundedQueue } from '../../platform/async/bounded-queue.js';
import { preparePassword } from './password-text.js';

type HasherConfig = Pick<
  AuthConfig,
  'ARGON2_MEMORY_KIB' | 'ARGON2_PASSES' | 'PASSWORD_CONCURRENCY' | 'PASSWORD_QUEUE'
>;

/** `outdated`: right, but to be hashed anew. */
export type Match = 'right' | 'outdated' | 'wrong';

/**
 * argon2id with m = 19 MiB, t = 2, p = 1 unless raised (OWASP Password Storage Cheat Sheet), on the
 * thread pool. Few at once, or a burst of logins would take all memory and every thread.
 *
 * All methods throw ServiceUnavailable (503 `password_queue_full`) where too many wait already.
 */
@Injectable()
export class PasswordHasher implements OnModuleInit {
  private readonly queue: BoundedQueue;
  private decoy = '';

  constructor(@Inject(CONFIG) private readonly config: HasherConfig) {
    const limits = { concurrency: config.PASSWORD_CONCURRENCY, queue: config.PASSWORD_QUEUE };
    this.queue = new BoundedQueue(limits, tooManyWait);
  }

  async onModuleInit(): Promise<void> {
    this.decoy = await this.hash(randomBytes(32).toString('base64url'));
  }

  /** To be asked before other work for a password: in a storm of logins most are refused, and that shall cost little. */
  requireRoom(): void {
    this.queue.requireRoom();
  }

  /** Finds out what is to be checked, for which there is a place then. */
  holdingPlace<T>(work: () => Promise<T>): Promise<T> {
    return this.queue.holdingPlace(work);
  }

  /** Of the password as RFC 8265 prepares it. */
  hash(password: string): Promise<string> {
    const prepared = preparePassword(password);
    const { ARGON2_MEMORY_KIB: memoryCost, ARGON2_PASSES: timeCost } = this.config;
    return this.queue.run(() => hash(prepared, { memoryCost, timeCost, parallelism: 1 }));
  }

  /**
   * Whether the password is right, and if so, whether it is to be hashed anew: with parameters that have been raised, or as
   * RFC 8265 prepares it. Version 0.1 hashed it as it was given.
   *
   * Without a hash (there is no such account) the same work is done in vain, so that the time tells nothing; and beside
   * the cheaper work for an outdated one.
   */
  async verify(passwordHash: string | null, password: string): Promise<Match> {
    const prepared = preparePassword(password);
    const isCurrent = passwordHash !== null && !this.isOutdated(passwordHash);
    if (await this.isMatch(passwordHash, prepared)) return isCurrent ? 'right' : 'outdated';
    return prepared !== password && (await this.isMatch(passwordHash, password)) ? 'outdated' : 'wrong';
  }

  private async isMatch(passwordHash: string | null, password: string): Promise<boolean> {
    const inVain =
      passwordHash === null || this.isOutdated(passwordHash) ? this.check(this.decoy, password) : null;
    const [isMatch] = await Promise.all([
      passwordHash !== null && this.check(passwordHash, password),
      inVain,
    ]);
    return isMatch;
  }

  private check(passwordHash: string, password: string): Promise<boolean> {
    return this.queue.run(() => verify(passwordHash, password));
  }

  /** True where the parameters have been raised since. */
  private isOutdated(passwordHash: string): boolean {
    const { memoryCost, timeCost } = parseOptions(passwordHash);
    return memoryCost < this.config.ARGON2_MEMORY_KIB || timeCost < this.config.ARGON2_PASSES;
  }
}

function tooManyWait(): Error {
  return new ServiceUnavailable('Too many passwords are being checked. Try again in a moment.', {
    code: 'password_queue_full',
    retryAfterSeconds: 2,
  });
}
