-- A session ends. KEYS: 5 its entry. ARGV: 4 why, 5 until, 6 ttl, 7 event, 8 limit. 1, or 0 where there is no room.
local entry = KEYS[5]
forget_over(entry)
local ended = redis.call('HGET', entry, 'e')
if ended and tonumber(redis.call('HGET', entry, 't')) >= tonumber(ARGV[5]) then return 1 end
-- The end says more than the newest generation does, and takes its place.
local newest = redis.call('HGET', entry, 'm')
if not hold(ARGV[7], ARGV[5], ARGV[8], newest) then return 0 end
if newest then redis.call('HDEL', entry, 'm') end
if not ended then redis.call('HSET', entry, 'e', ARGV[4]) end
extend(entry, ARGV[5], ARGV[6])
publish(ARGV[7])
return 1
