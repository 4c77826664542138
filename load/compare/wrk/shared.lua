-- What the scripts share. A script begins with: local shared = dofile(os.getenv("COMPARE_SCRIPTS") .. "/shared.lua")
-- COMPARE_DATA is a folder with the files `users` and `tasks`, see load/compare/data-files.ts. COMPARE_START is a number that
-- grows by more than the requests of a run from one run to the next, so that what must be new is new in each of them.
local shared = {}

local data = os.getenv("COMPARE_DATA")
local start = tonumber(os.getenv("COMPARE_START"))
math.randomseed(start + 1)

-- The lines of a request after its first, for each user: a request is then two or three strings joined.
shared.heads = {}
for token in io.lines(data .. "/users") do
  shared.heads[#shared.heads + 1] = " HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " .. token .. "\r\n"
end

-- Reads all tasks. @return ids, and the number of the owner of each
function shared.tasks()
  local ids, owners = {}, {}
  for line in io.lines(data .. "/tasks") do
    local owner, id = line:match("^(%d+) (.+)$")
    ids[#ids + 1], owners[#owners + 1] = id, tonumber(owner)
  end
  return ids, owners
end

local random = math.random

function shared.random_user() return random(#shared.heads) end

-- A new number with each call.
local last = start
function shared.next_number()
  last = last + 1
  return last
end

function shared.get(path, user) return "GET " .. path .. shared.heads[user] .. "\r\n" end

-- `more`: further header lines, each with its end.
function shared.send(method, path, user, body, more)
  return method .. " " .. path .. shared.heads[user] .. "Content-Type: application/json\r\nContent-Length: " .. #body ..
    "\r\n" .. more .. "\r\n" .. body
end

function shared.create(user)
  local n = shared.next_number()
  local key = n % 2 == 0 and "Idempotency-Key: key-" .. n .. "\r\n" or ""
  return shared.send("POST", "/v1/tasks", user, '{"title":"Prepare the quarterly report ' .. n ..
    '","description":"Collect the figures, then write the summary.","priority":"medium","tags":["work","finance"]}', key)
end

local statuses = { "todo", "in_progress", "done", "cancelled" }
function shared.update(id, user)
  local n = shared.next_number()
  return shared.send("PATCH", "/v1/tasks/" .. id, user,
    '{"title":"Changed ' .. n .. '","status":"' .. statuses[random(4)] .. '"}', "")
end

-- wrk calls it at the end. Latencies are in microseconds.
function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    'COMPARE {"requests":%d,"microseconds":%d,"p50":%d,"p95":%d,"p99":%d,"max":%d,"refused":%d,"timedOut":%d,"broken":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(95), latency:percentile(99),
    latency.max, errors.status, errors.timeout, errors.connect + errors.read + errors.write))
end

return shared
