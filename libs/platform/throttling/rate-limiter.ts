import type { Consistency } from '../consistency/consistency.js';
import type { Beginning, Limit, LimitRecord, WriteIntent } from '../consistency/consistency-store.port.js';
import type { LocalLimits } from '../consistency/local-limits.js';
import { SeriesCounter, type CounterSeries } from '../metrics/series.js';
import { withTimeout, timedOut } from '../async/with-timeout.js';
import { RedisUnavailable } from '../redis/redis-connection.js';
import { RateLimited } from './rate-limited.error.js';

const decisions = new SeriesCounter({
  name: 'rate_limit_decisions_total',
  help: 'Calls that were counted against a limit.',
  labelNames: ['policy', 'decision'],
});

type Decisions = Readonly<Record<'allowed' | 'blocked', CounterSeries>>;
const decisionsByPolicy = new Map<string, Decisions>();

function decisionsOf(policy: string): Decisions {
  const series = decisionsByPolicy.get(policy) ?? {
    allowed: decisions.series({ policy, decision: 'allowed' }),
    blocked: decisions.series({ policy, decision: 'blocked' }),
  };
  decisionsByPolicy.set(policy, series);
  return series;
}

/** Zero is a series from the start. */
export function announcePolicy(policy: string): void {
  decisionsOf(policy);
}

/** A limit by its name in headers and metrics. */
export interface Policy extends Omit<Limit, 'key'> {
  readonly name: string;
}

/**
 * Counts calls in the shared store, and in this process while that is away: then each process goes on from what it last
 * heard, by what it sees itself. A block that is known is asked about nowhere.
 */
export class RateLimiter {
  constructor(
    private readonly consistency: Consistency,
    private readonly local: LocalLimits,
  ) {}

  /** Counts `cost` points of whoever `subject` is, such as `{<user id>}` or `{ip:…}`. */
  async count(policy: Policy, subject: string, cost = 1): Promise<LimitRecord> {
    const limit = this.limitOf(policy, subject);
    const { store } = this.consistency;
    return this.decide(policy, limit, cost, async () => (await store?.count(limit, cost)) ?? null);
  }

  /**
   * The same at the beginning of a user's request, in one round trip with all else that the store is asked for: null
   * where it could not be asked.
   */
  async begin(
    policy: Policy,
    userId: string,
    cost: number,
    intent: WriteIntent | null,
  ): Promise<{ record: LimitRecord; beginning: Beginning | null }> {
    const limit = this.limitOf(policy, `{${userId}}`);
    let beginning: Beginning | null = null;
    const record = await this.decide(policy, limit, cost, async () => {
      beginning = await this.askStore(limit, cost, intent, userId);
      return beginning?.limit ?? null;
    });
    return { record, beginning };
  }

  /** A write waits for its intent; a read is right without an answer, too. */
  private async askStore(
    limit: Limit,
    cost: number,
    intent: WriteIntent | null,
    userId: string,
  ): Promise<Beginning | null> {
    const { store } = this.consistency;
    if (store === null) return null;
    const asked = store.begin(limit, cost, intent, userId);
    if (intent !== null) return asked;
    const answer = await withTimeout(asked, store.readTimeoutMs);
    return answer === timedOut ? null : answer;
  }

  /** @throws RateLimited where the count went over the limit */
  async require(policy: Policy, subject: string, cost = 1): Promise<void> {
    const record = await this.count(policy, subject, cost);
    if (record.blockedMs > 0) throw new RateLimited(record.blockedMs);
  }

  /** Gives back what was counted for a call that turned out not to count. */
  async refund(policy: Policy, subject: string, cost = 1): Promise<void> {
    const key = keyOf(policy, subject);
    const { store } = this.consistency;
    try {
      if (store?.isUp === true) await store.refund(key, cost);
    } catch (error) {
      if (!(error instanceof RedisUnavailable)) throw error;
    }
    // One that shares nothing has done it here.
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
    const { allowed, blocked } = decisionsOf(policy.name);
    (record.blockedMs > 0 ? blocked : allowed).inc();
    return record;
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
        // One that shares nothing has counted here.
        if (record !== null && store.isShared) this.local.learn(limit.key, record);
        if (record !== null) return record;
      } catch (error) {
        if (!(error instanceof RedisUnavailable)) throw error;
      }
    }
    return this.local.count(limit, cost);
  }
}

const keyOf = ({ name }: Policy, subject: string): string => `${subject}:limit:${name}`;
