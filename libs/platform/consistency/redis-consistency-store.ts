import { isPosition, type Position } from '../positions/position.js';
import type { RedisLink } from '../redis/redis-connection.js';
import {
  Ledger,
  markTtlMs,
  noteTtlMs,
  settleMs,
  type Beginning,
  type Limit,
  type LimitRecord,
  type Mark,
  type Note,
} from './consistency-store.port.js';

/**
 * A user's notes are one hash: `p<feature>` a position, `m<feature>:<id>` the deadline of a write under way, `f` since
 * when something is unknown. All keys of a user hold the id as their hash tag, so that they are in one slot of a cluster.
 */
const notesKey = (userId: string): string => `{${userId}}:notes`;

/** Other processes drop what they keep of `userId feature` when they hear of it; nothing depends on that. */
export const changesChannel = 'task-api:changes';

/**
 * KEYS: the limit, then the notes where there is a user. ARGV: points, window, block, cost, mark's field or '', its life,
 * notes' life, points and rest of the window as this process knows them.
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

/** ARGV: mark's field, note's field, position or '', notes' life, channel, message. */
const finishScript = `
redis.call('HDEL', KEYS[1], ARGV[1])
if ARGV[3] == '' then return end
local known = redis.call('HGET', KEYS[1], ARGV[2])
if not known or known < ARGV[3] then redis.call('HSET', KEYS[1], ARGV[2], ARGV[3]) end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('PUBLISH', ARGV[5], ARGV[6])`;

/** ARGV: note's field, position, notes' life, beginning of the marks' fields. */
const settleScript = `
local fields = redis.call('HGETALL', KEYS[1])
for n = 1, #fields, 2 do
  if fields[n] == ARGV[1] then return fields[n + 1] end
  if string.sub(fields[n], 1, #ARGV[4]) == ARGV[4] then return '' end
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return ARGV[2]`;

export class RedisLedger extends Ledger {
  readonly isShared = true;

  constructor(private readonly link: RedisLink) {
    super();
    link.define('ledgerBegin', beginScript);
    link.define('ledgerRefund', refundScript);
    link.define('ledgerMark', markScript);
    link.define('ledgerFinish', finishScript);
    link.define('ledgerSettle', settleScript);
  }

  get isUp(): boolean {
    return this.link.isUp;
  }

  get epoch(): number {
    return this.link.epoch;
  }

  get patienceMs(): number {
    return this.link.patienceMs;
  }

  get upSince(): number | null {
    return this.link.upSince;
  }

  onChange(listener: () => void): void {
    this.link.onChange(listener);
  }

  untilUp(timeoutMs: number): Promise<boolean> {
    return this.link.untilUp(timeoutMs);
  }

  async begin(limit: Limit, cost: number, mark: Mark | null, userId: string | null): Promise<Beginning> {
    const { key, points, windowMs, blockMs } = limit;
    const keys = userId === null ? [key] : [key, notesKey(userId)];
    const args = [
      points,
      windowMs,
      blockMs,
      cost,
      mark === null ? '' : fieldOf(mark),
      markTtlMs,
      noteTtlMs,
      ...seedOf(limit),
    ];
    const answer = (await this.link.script('ledgerBegin', keys, args)) as (string | number)[];
    const [used = 0, resetMs = 0, blockedMs = 0, unknownMs = 0, ...fields] = answer;
    return {
      limit: { used: Number(used), resetMs: Number(resetMs), blockedMs: Number(blockedMs) },
      notes: notesOf(fields.map(String)),
      unnoted: { kind: 'unknown', isSettled: Number(unknownMs) >= settleMs },
    };
  }

  async count(limit: Limit, cost: number): Promise<LimitRecord> {
    return (await this.begin(limit, cost, null, null)).limit;
  }

  async refund(key: string, cost: number): Promise<void> {
    await this.link.script('ledgerRefund', [key], [cost]);
  }

  async mark(mark: Mark): Promise<void> {
    await this.link.script('ledgerMark', [notesKey(mark.userId)], [fieldOf(mark), markTtlMs, noteTtlMs]);
  }

  async finish(mark: Mark, position: Position | null): Promise<void> {
    const { userId, feature } = mark;
    const args = [
      fieldOf(mark),
      `p${feature}`,
      position ?? '',
      noteTtlMs,
      changesChannel,
      `${userId} ${feature}`,
    ];
    await this.link.script('ledgerFinish', [notesKey(userId)], args);
  }

  async settle(userId: string, feature: string, position: Position): Promise<Note> {
    const args = [`p${feature}`, position, noteTtlMs, `m${feature}:`];
    const known = String(await this.link.script('ledgerSettle', [notesKey(userId)], args));
    return isPosition(known) ? { kind: 'known', position: known } : { kind: 'marked' };
  }
}

/** A window that is nearly over may have ended in Redis already: the clocks differ. */
const seedOf = ({ known }: Limit): readonly [number, number] =>
  known === undefined || known.resetMs < 1000 ? [0, 0] : [known.used, Math.ceil(known.resetMs)];

const fieldOf = ({ feature, id }: Mark): string => `m${feature}:${id}`;

/** A mark counts for more than a note. */
function notesOf(fields: readonly string[]): Map<string, Note> {
  const notes = new Map<string, Note>();
  for (let n = 0; n < fields.length; n += 2) {
    const [field = '', value = ''] = [fields[n], fields[n + 1]];
    if (field.startsWith('m')) notes.set(field.slice(1, field.indexOf(':')), { kind: 'marked' });
    else if (isPosition(value) && !notes.has(field.slice(1)))
      notes.set(field.slice(1), { kind: 'known', position: value });
  }
  return notes;
}
