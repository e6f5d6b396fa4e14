// Adds an appeal, unless it was denied or is already open.
export const putAppeal = {
  numberOfKeys: 2,
  lua: `
    local appeals = KEYS[1] -- sorted set: subjects of open appeals, by when they were made
    local denied  = KEYS[2] -- sorted set: subjects of denied appeals, by when [epoch ms] they may be appealed again
    local subject = ARGV[1]
    local atMs    = ARGV[2] -- [epoch ms]
    local most    = tonumber(ARGV[3]) -- [integer] open appeals at one time
    -- returns open, denied, or full
    local untilMs = redis.call('ZSCORE', denied, subject)
    if untilMs and tonumber(untilMs) > tonumber(atMs) then return 'denied' end
    if redis.call('ZSCORE', appeals, subject) then return 'open' end
    if redis.call('ZCARD', appeals) >= most then return 'full' end
    redis.call('ZADD', appeals, atMs, subject)
    return 'open'`,
} as const

// Closes an open appeal, and records a denial until a time.
export const settleAppeal = {
  numberOfKeys: 2,
  lua: `
    local appeals = KEYS[1]
    local denied  = KEYS[2]
    local subject = ARGV[1]
    local atMs    = ARGV[2] -- [epoch ms]
    local untilMs = ARGV[3] -- [epoch ms] until when it stays denied, or empty when it was granted
    -- returns 1, or 0 when it was not open
    redis.call('ZREMRANGEBYSCORE', denied, '-inf', atMs)
    if redis.call('ZREM', appeals, subject) == 0 then return 0 end
    if untilMs ~= '' then
      redis.call('ZADD', denied, untilMs, subject)
      local last = redis.call('ZRANGE', denied, -1, -1, 'WITHSCORES')[2]
      redis.call('PEXPIREAT', denied, string.format('%d', tonumber(last)))
    end
    return 1`,
} as const

// Removes a resubmission block with all of its digests, and the appeals against it.
export const liftBlock = {
  numberOfKeys: 3,
  lua: `
    local blocks  = KEYS[1] -- sorted set: keyed digests, by when [epoch ms] they end: see put-trust.ts
    local appeals = KEYS[2]
    local denied  = KEYS[3]
    local block   = ARGV[1] -- [16 bytes] any of its digests
    -- returns 1, or 0 when there was none
    local untilMs = redis.call('ZSCORE', blocks, block)
    local digests = { block }
    if untilMs then
      local endMs = math.floor(tonumber(untilMs))
      if redis.call('ZCOUNT', blocks, endMs + 0.5, endMs + 0.5) > 0 then
        digests = redis.call('ZRANGEBYSCORE', blocks, endMs, endMs + 0.5)
      end
    end
    for _, digest in ipairs(digests) do
      redis.call('ZREM', blocks, digest)
      redis.call('ZREM', appeals, 'b' .. digest)
      redis.call('ZREM', denied, 'b' .. digest)
    end
    return untilMs and 1 or 0`,
} as const

// Removes resubmission blocks that have ended, the appeals against them, and denials that have ended.
export const endBlocks = {
  numberOfKeys: 3,
  lua: `
    local blocks  = KEYS[1]
    local appeals = KEYS[2]
    local denied  = KEYS[3]
    local atMs    = ARGV[1] -- [epoch ms]
    local most    = ARGV[2] -- [integer] at one time
    -- returns [integer] how many blocks were removed
    redis.call('ZREMRANGEBYSCORE', denied, '-inf', atMs)
    local ended = redis.call('ZRANGEBYSCORE', blocks, '-inf', atMs, 'LIMIT', 0, most)
    for _, block in ipairs(ended) do
      redis.call('ZREM', blocks, block)
      redis.call('ZREM', appeals, 'b' .. block)
      redis.call('ZREM', denied, 'b' .. block)
    end
    return #ended`,
} as const
