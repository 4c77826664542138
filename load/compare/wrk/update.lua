-- Title and status of a random one of all tasks.
local shared = dofile(os.getenv("COMPARE_SCRIPTS") .. "/shared.lua")

local ids, owners = shared.tasks()
local random = math.random

function request()
  local n = random(#ids)
  return shared.update(ids[n], owners[n])
end
