/*
 * Lua scripts of the consistency store. Processes of two versions run them side by side: keys, fields and arguments stay as
 * they are.
 *
 * A user has one hash: `p<feature>` is a last-write position, `m<feature>:<id>` the time at which the intent of a write
 * expires, `f` the time since which something is unknown. Times are milliseconds of Unix time by the clock of Redis.
 */

/**
 * KEYS: the limit; the user's hash, where there is a user. ARGV: points, window, block, cost, field of the intent or '', TTL
 * of the intent, TTL of the hash, used points and rest of the window as this process knows them. Returns used points, rest
 * of the window, rest of the block, time since something is unknown, then the fields of the hash with their values.
 *
 * A counter outlives its window and block by one window. So a counter that is missing was lost. Otherwise what another
 * process knows of an earlier window would be taken for the current one.
 */
export const beginScript = `
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
export const refundScript = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local counter = redis.call('HMGET', KEYS[1], 'used', 'blocked')
if not counter[1] or tonumber(counter[2]) > now then return end
redis.call('HSET', KEYS[1], 'used', math.max(0, tonumber(counter[1]) - ARGV[1]))`;

/** KEYS: the user's hash. ARGV: field of the intent, TTL of the intent, TTL of the hash. */
export const announceScript = `
local time = redis.call('TIME')
if redis.call('EXISTS', KEYS[1]) == 0 then redis.call('HSET', KEYS[1], 'f', time[1] * 1000 + math.floor(time[2] / 1000)) end
redis.call('HSET', KEYS[1], ARGV[1], time[1] * 1000 + ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])`;

/** KEYS: the user's hash. ARGV: field of the intent, field of the position, position or '', TTL of the hash, channel, message. */
export const finishScript = `
redis.call('HDEL', KEYS[1], ARGV[1])
if ARGV[3] == '' then return end
local known = redis.call('HGET', KEYS[1], ARGV[2])
if not known or known < ARGV[3] then redis.call('HSET', KEYS[1], ARGV[2], ARGV[3]) end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('PUBLISH', ARGV[5], ARGV[6])`;

/** KEYS: the user's hash. ARGV: field of the position, position, TTL of the hash, prefix of the fields of intents. */
export const settleScript = `
local fields = redis.call('HGETALL', KEYS[1])
for n = 1, #fields, 2 do
  if fields[n] == ARGV[1] then return fields[n + 1] end
  if string.sub(fields[n], 1, #ARGV[4]) == ARGV[4] then return '' end
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return ARGV[2]`;
