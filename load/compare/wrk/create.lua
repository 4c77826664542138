-- A new task of a random user.
local shared = dofile(os.getenv("COMPARE_SCRIPTS") .. "/shared.lua")

function request() return shared.create(shared.random_user()) end
