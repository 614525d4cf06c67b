-- Keeps the result of a renewal. KEYS: 5 the session's entry. ARGV: 4 from, 5 next, 6 the result, 7 its until, 8 until, 9 ttl,
-- 10 event, 11 the end of the grace, 12 limit, 13 how many results. {1}; {0, why} of an ended session; {-1} without room.
local entry = KEYS[5]
forget_over(entry)
local known = redis.call('HMGET', entry, 'e', 'g', 'p', 'm')
if known[1] then return {0, known[1]} end
local rest = ARGV[7]
if known[2] and tonumber(known[2]) >= tonumber(ARGV[5]) then
  if known[3] == '1' and tonumber(ARGV[11]) < tonumber(rest) then rest = ARGV[11] end
else
  if not hold(ARGV[10], ARGV[8], ARGV[12], known[4]) then return {-1} end
  redis.call('HSET', entry, 'g', ARGV[5], 'p', '0', 'm', ARGV[10])
  publish(ARGV[10])
end
redis.call('HSET', entry, 'r' .. ARGV[4], ARGV[6], 'u' .. ARGV[4], rest)
local kept = {}
for _, field in ipairs(redis.call('HKEYS', entry)) do
  local from = string.match(field, '^u(%d+)$')
  if from then
    if tonumber(redis.call('HGET', entry, field)) <= now then
      redis.call('HDEL', entry, field, 'r' .. from)
    else
      table.insert(kept, from)
    end
  end
end
table.sort(kept, function(a, b) return tonumber(a) < tonumber(b) end)
for index = 1, #kept - tonumber(ARGV[13]) do
  redis.call('HDEL', entry, 'u' .. kept[index], 'r' .. kept[index])
end
extend(entry, ARGV[8], ARGV[9])
return {1}
