import { timedOut, withTimeout } from '../async/with-timeout.js';
import type { Consistency } from '../consistency/consistency.js';
import type { Beginning, Limit, LimitRecord, Question } from '../consistency/consistency-store.port.js';
import type { LocalLimits } from '../consistency/local-limits.js';
import type { LastWrites } from '../context/last-write.js';
import type { Scope } from '../context/scope.js';
import type { Metrics } from '../metrics/metrics.js';
import type { CounterSeries, SeriesCounter } from '../metrics/series.js';
import { RedisUnavailable } from '../redis/redis-connection.js';
import type { Policy } from './policy.js';
import { RateLimited } from './rate-limited.error.js';

type Decisions = Readonly<Record<'allowed' | 'blocked', CounterSeries>>;

export interface RateLimiterOptions {
  readonly consistency: Consistency;
  readonly local: LocalLimits;
  readonly metrics: Metrics;
}

/**
 * Counts calls in the shared store, and in this process while the store is not available: then each process continues from
 * the last shared count. A known block needs no round trip.
 */
export class RateLimiter {
  private readonly consistency: Consistency;
  private readonly local: LocalLimits;
  private readonly decisions: SeriesCounter<'policy' | 'decision'>;
  private readonly decisionsByPolicy = new Map<string, Decisions>();

  constructor({ consistency, local, metrics }: RateLimiterOptions) {
    this.consistency = consistency;
    this.local = local;
    this.decisions = metrics.counter({
      name: 'rate_limit_decisions_total',
      help: 'Calls that were counted against a limit.',
      labelNames: ['policy', 'decision'],
    });
  }

  /** Creates the metrics of a policy: zero is a series from the start. */
  announce({ name }: Policy): void {
    this.decisionsOf(name);
  }

  /** Counts `cost` points of `subject`, such as `{<user id>}` or `{ip:…}`. */
  async count(policy: Policy, subject: string, cost = 1): Promise<LimitRecord> {
    const limit = this.limitOf(policy, subject);
    const { store } = this.consistency;
    return this.decide(policy, limit, cost, async () => (await store?.count(limit, cost)) ?? null);
  }

  /**
   * Counts one point of a user at the beginning of a call, in one round trip with everything else that the store is asked for.
   * `lastWrites` is null where the store could not be asked.
   */
  async begin(
    policy: Policy,
    userId: string,
    question: Question,
  ): Promise<{ readonly record: LimitRecord; readonly lastWrites: Map<Scope, LastWrites> | null }> {
    const limit = this.limitOf(policy, userSubject(userId));
    const block = this.local.findBlock(limit.key);
    const beginning = block === null ? await this.askStore(limit, question) : null;
    if (beginning !== null && this.consistency.store?.isShared === true)
      this.local.learn(limit, beginning.limit);
    const record = block ?? beginning?.limit ?? this.local.count(limit, 1);
    this.tell(policy, record);
    return { record, lastWrites: beginning?.lastWrites ?? null };
  }

  /** Null where the store is not available. A write waits until its intent is announced; a read is correct without an answer, too. */
  private async askStore(limit: Limit, question: Question): Promise<Beginning | null> {
    const { store } = this.consistency;
    if (store?.isUp !== true) return null;
    try {
      const asked = store.begin(limit, 1, question);
      if (question.intent !== null) return await asked;
      const answer = await withTimeout(asked, store.readTimeoutMs);
      return answer === timedOut ? null : answer;
    } catch (error) {
      if (error instanceof RedisUnavailable) return null;
      throw error;
    }
  }

  /** @throws RateLimited where the count went over the limit */
  async require(policy: Policy, subject: string, cost = 1): Promise<void> {
    const record = await this.count(policy, subject, cost);
    if (record.blockedMs > 0) throw new RateLimited(record.blockedMs);
  }

  /** Returns the points of a call that should not have been counted. */
  async refund(policy: Policy, subject: string, cost = 1): Promise<void> {
    const key = keyOf(policy, subject);
    const { store } = this.consistency;
    try {
      if (store?.isUp === true) await store.refund(key, cost);
    } catch (error) {
      if (!(error instanceof RedisUnavailable)) throw error;
    }
    // A store that is not shared has done it in this process.
    if (store?.isShared !== false) this.local.refund(key, cost);
  }

  private limitOf(policy: Policy, subject: string): Limit {
    const { points, windowMs, blockMs } = policy;
    const key = keyOf(policy, subject);
    return { key, points, windowMs, blockMs, known: this.local.findWindow(key) };
  }

  private async decide(
    policy: Policy,
    limit: Limit,
    cost: number,
    ask: () => Promise<LimitRecord | null>,
  ): Promise<LimitRecord> {
    const record = this.local.findBlock(limit.key) ?? (await this.askOrCount(limit, cost, ask));
    this.tell(policy, record);
    return record;
  }

  private tell({ name }: Policy, { blockedMs }: LimitRecord): void {
    const { allowed, blocked } = this.decisionsOf(name);
    (blockedMs > 0 ? blocked : allowed).inc();
  }

  private async askOrCount(
    limit: Limit,
    cost: number,
    ask: () => Promise<LimitRecord | null>,
  ): Promise<LimitRecord> {
    const { store } = this.consistency;
    if (store?.isUp === true) {
      try {
        const record = await ask();
        // A store that is not shared has counted in this process.
        if (record !== null && store.isShared) this.local.learn(limit, record);
        if (record !== null) return record;
      } catch (error) {
        if (!(error instanceof RedisUnavailable)) throw error;
      }
    }
    return this.local.count(limit, cost);
  }

  private decisionsOf(policy: string): Decisions {
    const known = this.decisionsByPolicy.get(policy);
    if (known !== undefined) return known;
    const series = {
      allowed: this.decisions.series({ policy, decision: 'allowed' }),
      blocked: this.decisions.series({ policy, decision: 'blocked' }),
    };
    this.decisionsByPolicy.set(policy, series);
    return series;
  }
}

/** Of a user's keys in Redis the id is the hash tag: all of them are in one slot of a cluster. */
export const userSubject = (userId: string): string => `{${userId}}`;

const keyOf = ({ name }: Policy, subject: string): string => `${subject}:limit:${name}`;
