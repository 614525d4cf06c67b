-- Many sessions end. KEYS: 5 the entry of whose they are. ARGV: 4 before, 5 until, 6 ttl, 7 event, 8 limit. 1, or 0 without room.
local entry = KEYS[5]
forget_over(entry)
local earlier = redis.call('HMGET', entry, 'b', 't', 'm')
local replaced = false
if earlier[1] then
  local before, till = tonumber(earlier[1]), tonumber(earlier[2])
  if before >= tonumber(ARGV[4]) and till >= tonumber(ARGV[5]) then return 1 end
  -- Only what ends all that the earlier one does takes its place; else both stay.
  if tonumber(ARGV[4]) >= before and tonumber(ARGV[5]) >= till then replaced = earlier[3] end
end
if not hold(ARGV[7], ARGV[5], ARGV[8], replaced) then return 0 end
redis.call('HSET', entry, 'b', ARGV[4], 'm', ARGV[7])
extend(entry, ARGV[5], ARGV[6])
publish(ARGV[7])
return 1
