-- A browser has presented a generation. KEYS: 5 the session's entry. ARGV: 4 the generation, 5 the end of the grace, 6 event.
local entry = KEYS[5]
local known = redis.call('HMGET', entry, 'g', 'p')
if known[1] == ARGV[4] and known[2] ~= '1' then
  redis.call('HSET', entry, 'p', '1')
  publish(ARGV[6])
end
for _, field in ipairs(redis.call('HKEYS', entry)) do
  local from = string.match(field, '^u(%d+)$')
  if from and tonumber(from) < tonumber(ARGV[4])
    and tonumber(redis.call('HGET', entry, field)) > tonumber(ARGV[5]) then
    redis.call('HSET', entry, field, ARGV[5])
  end
end
return 1
