-- Marks a value as used. KEYS: 5 all marks by when they are over. ARGV: 4 the mark, 5 until, 6 ttl, 7 limit. 1 the first time.
local till = redis.call('ZSCORE', KEYS[5], ARGV[4])
if till and tonumber(till) > now then return 0 end
local over = redis.call('ZRANGEBYSCORE', KEYS[5], '-inf', now, 'LIMIT', 0, 64)
if #over > 0 then redis.call('ZREM', KEYS[5], unpack(over)) end
redis.call('ZADD', KEYS[5], ARGV[5], ARGV[4])
if redis.call('ZCARD', KEYS[5]) > tonumber(ARGV[7]) then redis.call('ZPOPMIN', KEYS[5]) end
if tonumber(ARGV[6]) > redis.call('PTTL', KEYS[5]) then redis.call('PEXPIRE', KEYS[5], ARGV[6]) end
return 1
