import { Deadline } from '../context/deadline.js';
import type { LastWrite, WriteIntent } from '../context/last-write.js';
import { DeadlineExceeded } from '../errors/common-errors.js';
import { isPosition, type Position } from '../positions/position.js';
import type { RedisConnection } from '../redis/redis-connection.js';
import {
  ConsistencyStore,
  intentTtlMs,
  positionTtlMs,
  settleMs,
  type Beginning,
  type Limit,
  type LimitRecord,
} from './consistency-store.port.js';
import { announceScript, beginScript, finishScript, refundScript, settleScript } from './redis-scripts.js';

/** The hash of a user, see `redis-scripts.ts`. All keys of a user have the id as their hash tag: one slot of a cluster. */
const userKey = (userId: string): string => `{${userId}}:notes`;

/** Channel of `<user id> <feature>` for each write: processes drop their cache entries. Correctness does not depend on delivery. */
export const changesChannel = 'task-api:changes';

/** The consistency store that all processes share. */
export class RedisConsistencyStore extends ConsistencyStore {
  readonly isShared = true;

  constructor(private readonly connection: RedisConnection) {
    super();
    connection.define('consistencyBegin', beginScript);
    connection.define('consistencyRefund', refundScript);
    connection.define('consistencyAnnounce', announceScript);
    connection.define('consistencyFinish', finishScript);
    connection.define('consistencySettle', settleScript);
  }

  get isUp(): boolean {
    return this.connection.isUp;
  }

  get epoch(): number {
    return this.connection.epoch;
  }

  get readTimeoutMs(): number {
    return this.connection.readTimeoutMs;
  }

  get upSince(): number | null {
    return this.connection.upSince;
  }

  onChange(listener: () => void): void {
    this.connection.onChange(listener);
  }

  untilUp(timeoutMs: number): Promise<boolean> {
    return this.connection.untilUp(timeoutMs);
  }

  async begin(
    limit: Limit,
    cost: number,
    intent: WriteIntent | null,
    userId: string | null,
  ): Promise<Beginning> {
    const { key, points, windowMs, blockMs } = limit;
    const keys = userId === null ? [key] : [key, userKey(userId)];
    const field = intent === null ? '' : fieldOf(intent);
    const args = [points, windowMs, blockMs, cost, field, intentTtlMs, positionTtlMs, ...seedOf(limit)];
    const asked = this.connection.script('consistencyBegin', keys, args);
    const answer = (await this.orTakeBack(intent, asked)) as (string | number)[];
    const [used = 0, resetMs = 0, blockedMs = 0, unknownMs = 0, ...fields] = answer;
    return {
      limit: { used: Number(used), resetMs: Number(resetMs), blockedMs: Number(blockedMs) },
      lastWrites: lastWritesOf(fields.map(String)),
      missing: { kind: 'unknown', isSettled: Number(unknownMs) >= settleMs },
    };
  }

  async count(limit: Limit, cost: number): Promise<LimitRecord> {
    return (await this.begin(limit, cost, null, null)).limit;
  }

  async refund(key: string, cost: number): Promise<void> {
    await this.connection.script('consistencyRefund', [key], [cost]);
  }

  async announce(intent: WriteIntent): Promise<void> {
    const args = [fieldOf(intent), intentTtlMs, positionTtlMs];
    const announced = this.connection.script('consistencyAnnounce', [userKey(intent.userId)], args);
    await this.orTakeBack(intent, announced);
  }

  async finish(intent: WriteIntent, position: Position | null): Promise<void> {
    const { userId, feature } = intent;
    const args = [
      fieldOf(intent),
      `p${feature}`,
      position ?? '',
      positionTtlMs,
      changesChannel,
      `${userId} ${feature}`,
    ];
    await this.connection.script('consistencyFinish', [userKey(userId)], args, Deadline.none);
  }

  async settle(userId: string, feature: string, position: Position): Promise<LastWrite> {
    const args = [`p${feature}`, position, positionTtlMs, `m${feature}:`];
    const known = String(await this.connection.script('consistencySettle', [userKey(userId)], args));
    return isPosition(known) ? { kind: 'known', position: known } : { kind: 'writing' };
  }

  /** An intent that was sent, but whose caller stopped waiting, would keep the user's reads on the primary until it expires. */
  private async orTakeBack<T>(intent: WriteIntent | null, sent: Promise<T>): Promise<T> {
    try {
      return await sent;
    } catch (error) {
      if (intent !== null && error instanceof DeadlineExceeded)
        this.finish(intent, null).catch(() => undefined);
      throw error;
    }
  }
}

/** A window that is nearly over may have ended in Redis already: the clocks differ. */
const seedOf = ({ known }: Limit): readonly [number, number] =>
  known === undefined || known.resetMs < 1000 ? [0, 0] : [known.used, Math.ceil(known.resetMs)];

const fieldOf = ({ feature, id }: WriteIntent): string => `m${feature}:${id}`;

/** Where there is an intent, it counts instead of the position. */
function lastWritesOf(fields: readonly string[]): Map<string, LastWrite> {
  const lastWrites = new Map<string, LastWrite>();
  for (let n = 0; n < fields.length; n += 2) {
    const [field = '', value = ''] = [fields[n], fields[n + 1]];
    if (field.startsWith('m')) lastWrites.set(field.slice(1, field.indexOf(':')), { kind: 'writing' });
    else if (isPosition(value) && !lastWrites.has(field.slice(1)))
      lastWrites.set(field.slice(1), { kind: 'known', position: value });
  }
  return lastWrites;
}
