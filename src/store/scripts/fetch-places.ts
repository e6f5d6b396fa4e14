// Gives a fetcher the time that belongs to a place in the feed. Times never go back, and the first place of a time stays.
export const keepFetchPlace = {
  numberOfKeys: 1,
  lua: `
    local places = KEYS[1] -- sorted set: time:place by time [Unix seconds]
    local at     = tonumber(ARGV[1]) -- [Unix seconds]
    local place  = ARGV[2]
    -- returns [integer] the time
    local last = redis.call('ZREVRANGE', places, 0, 0, 'WITHSCORES')
    if last[2] and tonumber(last[2]) > at then at = tonumber(last[2]) end
    if redis.call('ZCOUNT', places, at, at) == 0 then
      redis.call('ZADD', places, at, string.format('%d:', at) .. place)
      redis.call('ZREMRANGEBYRANK', places, 0, -10001)
    end
    return at`,
} as const
