// Notes that a report of an account was judged false: once for each image, however often it is said.
export const addStrike = {
  numberOfKeys: 2,
  lua: `
    local strikes  = KEYS[1] -- sorted set: image ids, by when
    local accounts = KEYS[2] -- set: accounts with strikes
    local account  = ARGV[1]
    local imageId  = ARGV[2]
    local atMs     = ARGV[3] -- [epoch ms]
    -- returns 1, or 0 when it was noted before
    redis.call('SADD', accounts, account)
    return redis.call('ZADD', strikes, 'NX', atMs, imageId)`,
} as const

// Forgives an account. Running it twice changes nothing.
export const clearStrikes = {
  numberOfKeys: 2,
  lua: `
    local strikes  = KEYS[1]
    local accounts = KEYS[2]
    local account  = ARGV[1]
    -- returns [integer] how many there were
    local count = redis.call('ZCARD', strikes)
    redis.call('DEL', strikes)
    redis.call('SREM', accounts, account)
    return count`,
} as const
