-- A refused generation. KEYS: 5 all refusals by their first time. ARGV: 4 which, 5 how long, 6 limit. Answers the first time.
local first = redis.call('ZSCORE', KEYS[5], ARGV[4])
if first and now - tonumber(first) <= tonumber(ARGV[5]) then return first end
redis.call('ZADD', KEYS[5], ARGV[3], ARGV[4])
if redis.call('ZCARD', KEYS[5]) > tonumber(ARGV[6]) then redis.call('ZPOPMIN', KEYS[5]) end
redis.call('PEXPIRE', KEYS[5], ARGV[5])
return ARGV[3]
