/*
 * Lua scripts of the consistency store. Processes of two versions run them side by side: keys and fields stay as they are.
 * Each takes the keys of one slot.
 *
 * A scope has one hash: `p<feature>` is a last-write position (timeline and LSN), `d<feature>` the id of the database that
 * it belongs to, `m<feature>:<id>` the time at which the intent of a write expires, `f` the time since which something is
 * unknown. Times are milliseconds of Unix time by the clock of Redis.
 *
 * Within one millisecond their order is not known. A loss then counts as later than an announcement, whoever noted it. An
 * announcement that finds `f` at the current time is later by its own reading: its intent stands a millisecond longer.
 *
 * Versions before 0.2 know no `d<feature>`: they set `p<feature>` alone, by the same database. So a position without a
 * database is compared with the next one, but counts as unknown until then.
 */

const timeNow = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)`;

/**
 * Reads the hash `key`: removes expired intents with the positions of their features, which are unknown then, and adds the
 * time since which something is unknown, and then the fields with their values.
 */
const readScope = `
local function read(key)
  local fields = redis.call('HGETALL', key)
  local found, dead, lost, since = { 0 }, {}, false, nil
  for n = 1, #fields, 2 do
    if string.sub(fields[n], 1, 1) == 'm' and tonumber(fields[n + 1]) < now then
      lost = true
      local feature = string.match(fields[n], '^m(.-):')
      dead['p' .. feature], dead['d' .. feature], dead[fields[n]] = true, true, true
      redis.call('HDEL', key, fields[n], 'p' .. feature, 'd' .. feature)
    end
  end
  for n = 1, #fields, 2 do
    if fields[n] == 'f' then since = tonumber(fields[n + 1])
    elseif not dead[fields[n]] then
      found[#found + 1] = fields[n]
      found[#found + 1] = fields[n + 1]
    end
  end
  if lost or not since then
    since = now
    redis.call('HSET', key, 'f', lost and now + 1 or now)
    redis.call('PEXPIRE', key, ttl)
  end
  found[1] = now - since
  return found
end`;

/**
 * The beginnings of several calls. KEYS: for each the limit, then the hashes of its scopes. ARGV: TTL of an intent, TTL of a
 * hash, then for each call: how many scopes, points, window, block, cost, used points and rest of the window as this process
 * knows them, and for each scope the field of an intent or ''. Returns, as JSON, for each call: used points, rest of the window,
 * rest of the block, then an array for each hash, see `readScope`. One text costs this process less than hundreds of elements.
 *
 * Without a block (0) a call over the limit is refused until the window ends, and not counted: points that are returned admit others.
 *
 * A counter outlives its window and block by one window. So a counter that is missing was lost. Otherwise what another
 * process knows of an earlier window would be taken for the current one.
 */
export const beginScript = `${timeNow}
local intentTtl, ttl = ARGV[1], ARGV[2]${readScope}
local results, k, a = {}, 1, 3
while k <= #KEYS do
  local limit, scopes = KEYS[k], tonumber(ARGV[a])
  local points, window, block, cost = tonumber(ARGV[a + 1]), tonumber(ARGV[a + 2]), tonumber(ARGV[a + 3]), tonumber(ARGV[a + 4])
  local counter = redis.call('HMGET', limit, 'used', 'ends', 'blocked')
  local used, ends, blocked = tonumber(counter[1]) or 0, tonumber(counter[2]) or 0, tonumber(counter[3]) or 0
  if blocked <= now then
    local isNew = blocked ~= 0 or not counter[1]
    blocked = 0
    if not counter[1] and tonumber(ARGV[a + 6]) > 0 then used = tonumber(ARGV[a + 5]); ends = now + tonumber(ARGV[a + 6]) end
    if ends <= now then used = 0; ends = now + window; isNew = true end
    local refusedUntil = 0
    if block > 0 or used + cost <= points then used = used + cost else refusedUntil = ends end
    if block > 0 and used > points then blocked = now + block; ends = blocked; isNew = true end
    if isNew then
      redis.call('HSET', limit, 'used', used, 'ends', ends, 'blocked', blocked)
      redis.call('PEXPIREAT', limit, ends + window)
    else
      redis.call('HSET', limit, 'used', used)
    end
    if refusedUntil > 0 then blocked = refusedUntil end
  end
  local result = { used, ends - now, math.max(0, blocked - now) }
  for n = 1, scopes do
    local key, intent = KEYS[k + n], ARGV[a + 6 + n]
    result[n + 3] = read(key)
    if intent ~= '' and blocked == 0 then
      local announced = result[n + 3][1] == 0 and now + 1 or now
      redis.call('HSET', key, intent, announced + intentTtl)
      redis.call('PEXPIRE', key, ttl)
    end
  end
  results[#results + 1] = result
  k, a = k + 1 + scopes, a + 7 + scopes
end
return cjson.encode(results)`;

/** KEYS: the hashes of scopes. ARGV: TTL of a hash. Returns an array for each, see `readScope`. */
export const askScript = `${timeNow}
local ttl = ARGV[1]${readScope}
local result = {}
for n = 1, #KEYS do result[n] = read(KEYS[n]) end
return result`;

/** KEYS: the limit. ARGV: points. */
export const refundScript = `${timeNow}
local counter = redis.call('HMGET', KEYS[1], 'used', 'blocked')
if not counter[1] or tonumber(counter[2]) > now then return end
redis.call('HSET', KEYS[1], 'used', math.max(0, tonumber(counter[1]) - ARGV[1]))`;

/** KEYS: the hashes of scopes. ARGV: TTL of an intent, TTL of a hash, then the field of the intent for each. */
export const announceScript = `${timeNow}
for n = 1, #KEYS do
  local announced = now
  if redis.call('EXISTS', KEYS[n]) == 0 then
    redis.call('HSET', KEYS[n], 'f', now)
    announced = now + 1
  end
  redis.call('HSET', KEYS[n], ARGV[n + 2], announced + ARGV[1])
  redis.call('PEXPIRE', KEYS[n], ARGV[2])
end`;

/**
 * The ends of several writes. KEYS: the hashes of scopes. ARGV: TTL of a hash, channel, TTL of an intent, time after which a lost
 * position may be replaced, then for each hash feature, position or '', id of its database, the position just past that one,
 * the field of the intent and the message.
 *
 * An intent that is missing was lost, and others may have replaced the unknown last write meanwhile by the primary's position
 * of a moment at which the commit was written, but not visible yet. What they cached then must not count: so the last write
 * is just past that. A position that was lost since the intent was announced may be later than the one of this write, which
 * then can't take its place: the intent expires soon, and the position is unknown.
 */
export const finishScript = `
for n = 1, #KEYS do
  local key, a = KEYS[n], 6 * n - 1
  local p, d, position, database, intent = 'p' .. ARGV[a], 'd' .. ARGV[a], ARGV[a + 1], ARGV[a + 2], ARGV[a + 4]
  local known = redis.call('HMGET', key, p, d, 'f', intent)
  redis.call('HDEL', key, intent)
  if position ~= '' then
    if not known[4] then position = ARGV[a + 3] end
    local isForeign = known[2] and known[2] ~= database
    local isLater = known[3] and known[4] and tonumber(known[3]) < tonumber(known[4]) - ARGV[3]
    if not known[1] and not isLater then
      local time = redis.call('TIME')
      redis.call('HSET', key, intent, time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[4])
    else
      if not known[1] or isForeign or known[1] < position then redis.call('HSET', key, p, position) end
      if known[2] ~= database then redis.call('HSET', key, d, database) end
    end
    redis.call('PEXPIRE', key, ARGV[1])
    redis.call('PUBLISH', ARGV[2], ARGV[a + 5])
  end
end`;

/**
 * KEYS: the hash of a scope. ARGV: feature, position, id of its database, TTL of the hash, time after which a lost position
 * may be replaced. Returns the position, '' for a write under way or a position that was lost since the store was asked.
 */
export const settleScript = `${timeNow}
local p, d, prefix, position = 'p' .. ARGV[1], 'd' .. ARGV[1], 'm' .. ARGV[1] .. ':', ARGV[2]
local fields = redis.call('HGETALL', KEYS[1])
local known, database, since
for n = 1, #fields, 2 do
  if fields[n] == p then known = fields[n + 1] end
  if fields[n] == d then database = fields[n + 1] end
  if fields[n] == 'f' then since = tonumber(fields[n + 1]) end
  if string.sub(fields[n], 1, #prefix) == prefix then return '' end
end
if not known and (not since or now - since < tonumber(ARGV[5])) then return '' end
if known and (not database or database == ARGV[3]) and known > position then position = known end
if known and database == ARGV[3] then return known end
redis.call('HSET', KEYS[1], p, position, d, ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return position`;
