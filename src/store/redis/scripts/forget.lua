-- Forgets a value at a time, if not before. KEYS: 1 its key. ARGV: 1 until, 2 ttl.
local till = redis.call('HGET', KEYS[1], 'u')
if till and tonumber(ARGV[1]) < tonumber(till) then
  redis.call('HSET', KEYS[1], 'u', ARGV[1])
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return 1
