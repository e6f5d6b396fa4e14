// Notes that a report of an account was judged false: once for each image, however often it is said.
export const addStrike = {
  numberOfKeys: 2,
  lua: `
    local strikes  = KEYS[1] -- sorted set: image ids, by when
    local accounts = KEYS[2] -- sorted set: accounts with strikes, by the last
    local account  = ARGV[1]
    local imageId  = ARGV[2]
    local atMs     = ARGV[3] -- [epoch ms]
    -- returns 1, or 0 when it was noted before
    local added = redis.call('ZADD', strikes, 'NX', atMs, imageId)
    if added == 1 then redis.call('ZADD', accounts, 'GT', atMs, account) end
    return added`,
} as const

// Takes one strike of an account back. Running it twice changes nothing.
export const takeBackStrike = {
  numberOfKeys: 2,
  lua: `
    local strikes  = KEYS[1]
    local accounts = KEYS[2]
    local account  = ARGV[1]
    local imageId  = ARGV[2]
    -- returns 1, or 0 when it had none for this image
    local removed = redis.call('ZREM', strikes, imageId)
    local last = redis.call('ZREVRANGE', strikes, 0, 0, 'WITHSCORES')
    if last[2] then redis.call('ZADD', accounts, last[2], account) else redis.call('ZREM', accounts, account) end
    return removed`,
} as const

// Forgives an account. Running it twice changes nothing.
export const clearStrikes = {
  numberOfKeys: 3,
  lua: `
    local strikes  = KEYS[1]
    local accounts = KEYS[2]
    local invalidated   = KEYS[3] -- sorted set: what it must not hand in again
    local account  = ARGV[1]
    -- returns [integer] how many there were
    local count = redis.call('ZCARD', strikes)
    redis.call('DEL', strikes, invalidated)
    redis.call('ZREM', accounts, account)
    return count`,
} as const
