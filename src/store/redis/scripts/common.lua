-- In front of every script that changes something.
-- KEYS: 1 whose store this is, 2 the feed, 3 its count, 4 what still holds. ARGV: 1 field, 2 its value, 3 the time.
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then
  return redis.error_reply('CLOAKROOM another store')
end
local now = tonumber(ARGV[3])

local function publish(event)
  local number = redis.call('INCR', KEYS[3])
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', '10000', '*', 'n', number, 'e', event)
end

-- Keeps an event for those who read everything again, in the place of another; false where there is no room.
local function hold(event, till, limit, replaced)
  local over = redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', now, 'LIMIT', 0, 64)
  if #over > 0 then redis.call('ZREM', KEYS[4], unpack(over)) end
  if replaced then redis.call('ZREM', KEYS[4], replaced) end
  if redis.call('ZCARD', KEYS[4]) >= tonumber(limit) then
    over = redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', now, 'LIMIT', 0, 4000)
    if #over == 0 then return false end
    redis.call('ZREM', KEYS[4], unpack(over))
  end
  redis.call('ZADD', KEYS[4], till, event)
  return true
end

-- Lets an entry live until then, or as long as it would anyway.
local function extend(key, till, ttl)
  local earlier = tonumber(redis.call('HGET', key, 't') or 0)
  if tonumber(till) > earlier then redis.call('HSET', key, 't', till) end
  if tonumber(ttl) > redis.call('PTTL', key) then redis.call('PEXPIRE', key, ttl) end
end

-- Forgets an entry whose time is over.
local function forget_over(key)
  local till = redis.call('HGET', key, 't')
  if till and tonumber(till) <= now then redis.call('DEL', key) end
end
