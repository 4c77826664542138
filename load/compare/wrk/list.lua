-- The newest 25 tasks of a random user, by an address that was never asked for: a cursor that begins after the newest task.
-- Its last twelve digits are random. They are encoded three by three, as base64 does, from a table.
local shared = dofile(os.getenv("COMPARE_SCRIPTS") .. "/shared.lua")

local before = io.open(os.getenv("COMPARE_DATA") .. "/cursor"):read("*l")
local head, tail = before:match("^(.-) (.+)$")
local alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
local function letter(n) return alphabet:sub(n + 1, n + 1) end
local groups = {}
for n = 0, 999 do
  local a, b, c = string.format("%03d", n):byte(1, 3)
  local bits = a * 65536 + b * 256 + c
  groups[n + 1] = letter(math.floor(bits / 262144)) .. letter(math.floor(bits / 4096) % 64) ..
    letter(math.floor(bits / 64) % 64) .. letter(bits % 64)
end

local path = "/v1/tasks?cursor=" .. head
local random = math.random
function request()
  local digits = groups[random(1000)] .. groups[random(1000)] .. groups[random(1000)] .. groups[random(1000)]
  return shared.get(path .. digits .. tail, shared.random_user())
end
