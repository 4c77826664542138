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
  type WriteIntent,
  type LastWrite,
} from './consistency-store.port.js';

/**
 * A user's lastWrites are one hash: `p<feature>` a position, `m<feature>:<id>` the deadline of a write under way, `f` since
 * when something is unknown. All keys of a user hold the id as their hash tag, so that they are in one slot of a cluster.
 */
const lastWritesKey = (userId: string): string => `{${userId}}:lastWrites`;

/** Other processes drop what they keep of `userId feature` when they hear of it; nothing depends on that. */
export const changesChannel = 'task-api:changes';

/**
 * KEYS: the limit, then the lastWrites where there is a user. ARGV: points, window, block, cost, intent's field or '', its life,
 * lastWrites' life, points and rest of the window as this process knows them.
 *
 * A counter outlives its window and block by a window, so that one that is missing was lost: else what another process
 * knows of an earlier window would be taken for it.
 */
const beginScript = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local points, window, block, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local counter = redis.call('HMGET', KEYS[1], 'used', 'ends', 'blocked')
local used, ends, blocked = tonumber(counter[1]) or 0, tonumber(counter[2]) or 0, tonumber(counter[3]) or 0
if blocked <= now then
  blocked = 0
  if not counter[1] and tonumber(ARGV[9]) > 0 then used = tonumber(ARGV[8]); ends = now + tonumber(ARGV[9]) end
  if ends <= now then used = 0; ends = now + window end
  used = used + cost
  if used > points then blocked = now + block; ends = blocked end
  redis.call('HSET', KEYS[1], 'used', used, 'ends', ends, 'blocked', blocked)
  redis.call('PEXPIREAT', KEYS[1], ends + window)
end
local result = { used, ends - now, math.max(0, blocked - now), 0 }
if not KEYS[2] then return result end
local fields = redis.call('HGETALL', KEYS[2])
local lost, since = false, nil
local dead = {}
for n = 1, #fields, 2 do
  if string.sub(fields[n], 1, 1) == 'm' and tonumber(fields[n + 1]) < now then
    lost = true
    local feature = string.match(fields[n], '^m(.-):')
    dead['p' .. feature] = true
    redis.call('HDEL', KEYS[2], fields[n], 'p' .. feature)
  end
end
for n = 1, #fields, 2 do
  local field, value = fields[n], fields[n + 1]
  if field == 'f' then since = tonumber(value)
  elseif not dead[field] and not (string.sub(field, 1, 1) == 'm' and tonumber(value) < now) then
    result[#result + 1] = field
    result[#result + 1] = value
  end
end
if lost or not since then
  since = now
  redis.call('HSET', KEYS[2], 'f', now)
  redis.call('PEXPIRE', KEYS[2], ARGV[7])
end
result[4] = now - since
if ARGV[5] ~= '' and blocked == 0 then
  redis.call('HSET', KEYS[2], ARGV[5], now + ARGV[6])
  redis.call('PEXPIRE', KEYS[2], ARGV[7])
end
return result`;

/** KEYS: the limit. ARGV: points. */
const refundScript = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local counter = redis.call('HMGET', KEYS[1], 'used', 'blocked')
if not counter[1] or tonumber(counter[2]) > now then return end
redis.call('HSET', KEYS[1], 'used', math.max(0, tonumber(counter[1]) - ARGV[1]))`;

const markScript = `
local time = redis.call('TIME')
if redis.call('EXISTS', KEYS[1]) == 0 then redis.call('HSET', KEYS[1], 'f', time[1] * 1000 + math.floor(time[2] / 1000)) end
redis.call('HSET', KEYS[1], ARGV[1], time[1] * 1000 + ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])`;

/** ARGV: intent's field, lastWrite's field, position or '', lastWrites' life, channel, message. */
const finishScript = `
redis.call('HDEL', KEYS[1], ARGV[1])
if ARGV[3] == '' then return end
local known = redis.call('HGET', KEYS[1], ARGV[2])
if not known or known < ARGV[3] then redis.call('HSET', KEYS[1], ARGV[2], ARGV[3]) end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('PUBLISH', ARGV[5], ARGV[6])`;

/** ARGV: lastWrite's field, position, lastWrites' life, beginning of the intents' fields. */
const settleScript = `
local fields = redis.call('HGETALL', KEYS[1])
for n = 1, #fields, 2 do
  if fields[n] == ARGV[1] then return fields[n + 1] end
  if string.sub(fields[n], 1, #ARGV[4]) == ARGV[4] then return '' end
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return ARGV[2]`;

export class RedisConsistencyStore extends ConsistencyStore {
  readonly isShared = true;

  constructor(private readonly connection: RedisConnection) {
    super();
    connection.define('consistencyBegin', beginScript);
    connection.define('consistencyRefund', refundScript);
    connection.define('consistencyAnnounce', markScript);
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
    const keys = userId === null ? [key] : [key, lastWritesKey(userId)];
    const args = [
      points,
      windowMs,
      blockMs,
      cost,
      intent === null ? '' : fieldOf(intent),
      intentTtlMs,
      positionTtlMs,
      ...seedOf(limit),
    ];
    const answer = (await this.connection.script('consistencyBegin', keys, args)) as (string | number)[];
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
    await this.connection.script(
      'consistencyAnnounce',
      [lastWritesKey(intent.userId)],
      [fieldOf(intent), intentTtlMs, positionTtlMs],
    );
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
    await this.connection.script('consistencyFinish', [lastWritesKey(userId)], args);
  }

  async settle(userId: string, feature: string, position: Position): Promise<LastWrite> {
    const args = [`p${feature}`, position, positionTtlMs, `m${feature}:`];
    const known = String(await this.connection.script('consistencySettle', [lastWritesKey(userId)], args));
    return isPosition(known) ? { kind: 'known', position: known } : { kind: 'writing' };
  }
}

/** A window that is nearly over may have ended in Redis already: the clocks differ. */
const seedOf = ({ known }: Limit): readonly [number, number] =>
  known === undefined || known.resetMs < 1000 ? [0, 0] : [known.used, Math.ceil(known.resetMs)];

const fieldOf = ({ feature, id }: WriteIntent): string => `m${feature}:${id}`;

/** A intent counts for more than a lastWrite. */
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
