-- Finds the store, or begins one. KEYS: 1 whose it is. ARGV: field and value for each cookie key, in turn.
-- {field, value} as they stand there.
for index = 1, #ARGV, 2 do
  local value = redis.call('HGET', KEYS[1], ARGV[index])
  if value then return {ARGV[index], value} end
end
for index = 1, #ARGV, 2 do
  redis.call('HSET', KEYS[1], ARGV[index], ARGV[index + 1])
end
return {ARGV[1], ARGV[2]}
