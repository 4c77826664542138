import type { Redis } from 'ioredis';

/*
 * The consistency store of version 0.1 (commit 9fc8b10), as its processes run it beside newer ones during an update. The
 * scripts are copies and must not be changed. Only the rate limit is left out of `begin`, which has nothing to do with it.
 */
const beginScript = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local result = { 0 }
local fields = redis.call('HGETALL', KEYS[1])
local lost, since = false, nil
local dead = {}
for n = 1, #fields, 2 do
  if string.sub(fields[n], 1, 1) == 'm' and tonumber(fields[n + 1]) < now then
    lost = true
    local feature = string.match(fields[n], '^m(.-):')
    dead['p' .. feature] = true
    redis.call('HDEL', KEYS[1], fields[n], 'p' .. feature)
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
  redis.call('HSET', KEYS[1], 'f', now)
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
end
result[1] = now - since
return result`;

const announceScript = `
local time = redis.call('TIME')
if redis.call('EXISTS', KEYS[1]) == 0 then redis.call('HSET', KEYS[1], 'f', time[1] * 1000 + math.floor(time[2] / 1000)) end
redis.call('HSET', KEYS[1], ARGV[1], time[1] * 1000 + ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])`;

const finishScript = `
redis.call('HDEL', KEYS[1], ARGV[1])
if ARGV[3] == '' then return end
local known = redis.call('HGET', KEYS[1], ARGV[2])
if not known or known < ARGV[3] then redis.call('HSET', KEYS[1], ARGV[2], ARGV[3]) end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('PUBLISH', ARGV[5], ARGV[6])`;

const settleScript = `
local fields = redis.call('HGETALL', KEYS[1])
for n = 1, #fields, 2 do
  if fields[n] == ARGV[1] then return fields[n + 1] end
  if string.sub(fields[n], 1, #ARGV[4]) == ARGV[4] then return '' end
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return ARGV[2]`;

const ttlMs = 26 * 3600 * 1000;

/** Positions are timeline and LSN without a database. */
export class OldStore {
  constructor(
    private readonly redis: Redis,
    private readonly key: string,
    private readonly feature: string,
  ) {}

  async announce(id: string): Promise<void> {
    await this.run(announceScript, [this.fieldOf(id), 35_000, ttlMs]);
  }

  async finish(id: string, progress: string): Promise<void> {
    await this.run(finishScript, [this.fieldOf(id), `p${this.feature}`, progress, ttlMs, 'changes', 'x']);
  }

  /** What a request relies on; a number is the time since which it is unknown. */
  async ask(): Promise<string | number> {
    const [unknownMs, ...fields] = (await this.run(beginScript, [ttlMs])) as [number, ...string[]];
    if (fields.some((field) => field.startsWith(`m${this.feature}:`))) return 'writing';
    const position = fields.indexOf(`p${this.feature}`);
    return position < 0 ? unknownMs : (fields[position + 1] ?? '');
  }

  /** '' for a write under way. */
  async settle(progress: string): Promise<string> {
    return String(await this.run(settleScript, [`p${this.feature}`, progress, ttlMs, `m${this.feature}:`]));
  }

  private run(script: string, args: readonly (string | number)[]): Promise<unknown> {
    return this.redis.eval(script, 1, this.key, ...args);
  }

  private fieldOf(id: string): string {
    return `m${this.feature}:${id}`;
  }
}
