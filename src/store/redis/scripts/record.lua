-- Records a session. KEYS: 5 the records, 6 all by when they began, 7.. the lists it stands in.
-- ARGV: 4 its name, 5 the record with its end in front, 6 began, 7 ttl, 8 limit, 9 limit of a list.
local function pop(list)
  redis.call('ZREM', KEYS[6], list)
  redis.call('HDEL', KEYS[5], list)
end
for _, oldest in ipairs(redis.call('ZRANGE', KEYS[6], 0, 15)) do
  local record = redis.call('HGET', KEYS[5], oldest)
  local till = record and string.match(record, '^(%d+):')
  if not till or tonumber(till) <= now then pop(oldest) end
end
redis.call('HSET', KEYS[5], ARGV[4], ARGV[5])
for index = 6, #KEYS do
  redis.call('ZADD', KEYS[index], ARGV[6], ARGV[4])
  if tonumber(ARGV[7]) > redis.call('PTTL', KEYS[index]) then redis.call('PEXPIRE', KEYS[index], ARGV[7]) end
  if index > 6 then redis.call('ZREMRANGEBYRANK', KEYS[index], 0, -1 - tonumber(ARGV[9])) end
end
if tonumber(ARGV[7]) > redis.call('PTTL', KEYS[5]) then redis.call('PEXPIRE', KEYS[5], ARGV[7]) end
if redis.call('ZCARD', KEYS[6]) > tonumber(ARGV[8]) then
  pop(redis.call('ZRANGE', KEYS[6], 0, 0)[1])
end
return 1
