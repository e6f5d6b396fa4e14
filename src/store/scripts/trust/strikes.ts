// Adds a strike to an account, once for each image.
export const addStrike = {
  numberOfKeys: 2,
  lua: `
    local strikes  = KEYS[1] -- sorted set: image ids, by when [epoch ms]
    local accounts = KEYS[2] -- sorted set: accounts with strikes, by when their last one was added
    local account  = ARGV[1]
    local imageId  = ARGV[2]
    local atMs     = ARGV[3] -- [epoch ms]
    -- returns 1, or 0 when it was already added
    local added = redis.call('ZADD', strikes, 'NX', atMs, imageId)
    if added == 1 then redis.call('ZADD', accounts, 'GT', atMs, account) end
    return added`,
} as const

// Withdraws one strike of an account. Idempotent.
export const takeBackStrike = {
  numberOfKeys: 2,
  lua: `
    local strikes  = KEYS[1]
    local accounts = KEYS[2]
    local account  = ARGV[1]
    local imageId  = ARGV[2]
    -- returns 1, or 0 when the account had none for this image
    local removed = redis.call('ZREM', strikes, imageId)
    local last = redis.call('ZREVRANGE', strikes, 0, 0, 'WITHSCORES')
    if last[2] then redis.call('ZADD', accounts, last[2], account) else redis.call('ZREM', accounts, account) end
    return removed`,
} as const

// Removes all strikes and blocks of an account. Idempotent.
export const clearStrikes = {
  numberOfKeys: 3,
  lua: `
    local strikes  = KEYS[1]
    local accounts = KEYS[2]
    local blocks   = KEYS[3] -- sorted set: digests that it must not submit again
    local account  = ARGV[1]
    -- returns [integer] how many strikes there were
    local count = redis.call('ZCARD', strikes)
    redis.call('DEL', strikes, blocks)
    redis.call('ZREM', accounts, account)
    return count`,
} as const
