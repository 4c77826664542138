-- The statistics of one user after the other, each time for another range of about a month within the last year.
local shared = dofile(os.getenv("COMPARE_SCRIPTS") .. "/shared.lua")

local function day(ago) return os.date("!%Y-%m-%d", os.time() - ago * 86400) end
local paths = {}
for length = 28, 31 do
  for last = 0, 334 do
    paths[#paths + 1] = "/v1/tasks/stats?from=" .. day(last + length - 1) .. "&to=" .. day(last)
  end
end

local users = #shared.heads
local floor = math.floor

function request()
  local n = shared.next_number()
  return shared.get(paths[floor(n / users) % #paths + 1], n % users + 1)
end
