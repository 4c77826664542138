-- 90 reads and 10 writes of users who come back by a Zipf law, with the shares of load/support/mix.ts: the n-th most active
-- user comes 1/n times as often as the first.
local shared = dofile(os.getenv("COMPARE_SCRIPTS") .. "/shared.lua")

local owned = {}
local ids, owners = shared.tasks()
for n = 1, #ids do
  local owner = owners[n]
  owned[owner] = owned[owner] or {}
  table.insert(owned[owner], ids[n])
end

local random = math.random
local sums, sum = {}, 0
for user = 1, #shared.heads do
  sum = sum + 1 / user
  sums[user] = sum
end
local function draw()
  local point, low, high = random() * sum, 1, #sums
  while low < high do
    local middle = math.floor((low + high) / 2)
    if sums[middle] < point then low = middle + 1 else high = middle end
  end
  return low
end
-- Drawn in advance, because it costs more than the rest of a request.
local drawn = {}
for n = 1, 100000 do drawn[n] = draw() end

local function task_of(user)
  local tasks = owned[user]
  return tasks[random(#tasks)]
end

function request()
  local user = drawn[random(#drawn)]
  local kind = random(100)
  if kind <= 68 then return shared.get("/v1/tasks", user) end
  if kind <= 79 then return shared.get("/v1/tasks/" .. task_of(user), user) end
  if kind <= 90 then return shared.get("/v1/tasks/stats", user) end
  if kind <= 97 then return shared.update(task_of(user), user) end
  return shared.create(user)
end
