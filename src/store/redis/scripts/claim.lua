-- Takes or keeps the right to renew a session. KEYS: 5 the lease, 6 the session's entry, 7 set while replicas come back.
-- ARGV: 4 who, 5 how long, 6 '1' where it is being kept. {0}, or {1, why it ended, newest, presented, until}.
local lease = redis.call('HMGET', KEYS[5], 'c', 's')
if lease[1] ~= ARGV[4] then
  if lease[1] then
    -- Either way: replicas agree on the time to a fraction of a second, and a clock that is set back makes no lease of hours.
    if math.abs(now - tonumber(lease[2])) < tonumber(ARGV[5]) then return {0} end
  end
  if ARGV[6] ~= '1' and redis.call('EXISTS', KEYS[7]) == 1 then return {0} end
end
redis.call('HSET', KEYS[5], 'c', ARGV[4], 's', ARGV[3])
redis.call('PEXPIRE', KEYS[5], ARGV[5])
forget_over(KEYS[6])
local known = redis.call('HMGET', KEYS[6], 'e', 'g', 'p', 't')
return {1, known[1], known[2], known[3], known[4]}
