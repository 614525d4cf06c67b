-- Keeps a value. KEYS: 1 its key. ARGV: 1 until, 2 the value, 3 ttl.
redis.call('HSET', KEYS[1], 'u', ARGV[1], 'v', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
