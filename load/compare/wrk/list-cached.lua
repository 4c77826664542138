-- The first page of a random user: the same address each time, so that a cache has it.
local shared = dofile(os.getenv("COMPARE_SCRIPTS") .. "/shared.lua")

local requests = {}
for user = 1, #shared.heads do requests[user] = shared.get("/v1/tasks", user) end

function request() return requests[shared.random_user()] end
