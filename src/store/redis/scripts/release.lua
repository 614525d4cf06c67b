-- Gives the right back. KEYS: 5 the lease. ARGV: 4 who.
if redis.call('HGET', KEYS[5], 'c') == ARGV[4] then redis.call('DEL', KEYS[5]) end
return 1
