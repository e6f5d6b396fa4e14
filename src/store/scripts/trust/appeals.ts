// Notes an appeal, unless it was denied, or has been made before.
export const putAppeal = {
  numberOfKeys: 2,
  lua: `
    local appeals = KEYS[1] -- sorted set: what is appealed, by when
    local denied  = KEYS[2] -- sorted set: the same of what was denied, by until when
    local subject = ARGV[1]
    local atMs    = ARGV[2] -- [epoch ms]
    local most    = tonumber(ARGV[3]) -- [integer] appeals that wait at one time
    -- returns open, denied, or full
    local untilMs = redis.call('ZSCORE', denied, subject)
    if untilMs and tonumber(untilMs) > tonumber(atMs) then return 'denied' end
    if redis.call('ZSCORE', appeals, subject) then return 'open' end
    if redis.call('ZCARD', appeals) >= most then return 'full' end
    redis.call('ZADD', appeals, atMs, subject)
    return 'open'`,
} as const

// Takes an appeal from those that wait, and remembers for a time if it was denied.
export const settleAppeal = {
  numberOfKeys: 2,
  lua: `
    local appeals = KEYS[1]
    local denied  = KEYS[2]
    local subject = ARGV[1]
    local atMs    = ARGV[2] -- [epoch ms]
    local untilMs = ARGV[3] -- [epoch ms], or nothing when it was granted
    -- returns 1, or 0 when it did not wait
    redis.call('ZREMRANGEBYSCORE', denied, '-inf', atMs)
    if redis.call('ZREM', appeals, subject) == 0 then return 0 end
    if untilMs ~= '' then
      redis.call('ZADD', denied, untilMs, subject)
      local last = redis.call('ZRANGE', denied, -1, -1, 'WITHSCORES')[2]
      redis.call('PEXPIREAT', denied, string.format('%d', tonumber(last)))
    end
    return 1`,
} as const

// Removes a block with its digest, and what was said against it.
export const liftBlock = {
  numberOfKeys: 3,
  lua: `
    local blocks  = KEYS[1] -- sorted set: keyed digests, by until when
    local appeals = KEYS[2]
    local denied  = KEYS[3]
    local block   = ARGV[1] -- [16 bytes]
    local subject = ARGV[2]
    -- returns 1, or 0 when there was none
    redis.call('ZREM', appeals, subject)
    redis.call('ZREM', denied, subject)
    return redis.call('ZREM', blocks, block)`,
} as const

// Removes blocks whose time is over, and appeals against them.
export const endBlocks = {
  numberOfKeys: 3,
  lua: `
    local blocks  = KEYS[1]
    local appeals = KEYS[2]
    local denied  = KEYS[3]
    local atMs    = ARGV[1] -- [epoch ms]
    local most    = ARGV[2] -- [integer] at one time
    -- returns [integer] how many
    local over = redis.call('ZRANGEBYSCORE', blocks, '-inf', atMs, 'LIMIT', 0, most)
    for _, block in ipairs(over) do
      redis.call('ZREM', blocks, block)
      redis.call('ZREM', appeals, 'b' .. block)
      redis.call('ZREM', denied, 'b' .. block)
    end
    return #over`,
} as const
