// Deletes the contexts whose last match was at or before a time. In one step: a context that is seen meanwhile stays.
export const endContexts = {
  numberOfKeys: 3,
  lua: `
    local contexts = KEYS[1] -- sorted set: keyed hashes of contexts, by when [epoch ms] each was seen last
    local names    = KEYS[2] -- hash: the same keyed hashes -> sealed text
    local erased   = KEYS[3] -- [integer] what is still in old lines of the append-only file
    local untilMs  = ARGV[1] -- [epoch ms]
    -- returns [integer] how many were deleted
    local ended = redis.call('ZRANGEBYSCORE', contexts, '-inf', untilMs)
    for _, context in ipairs(ended) do
      redis.call('ZREM', contexts, context)
      redis.call('HDEL', names, context)
    end
    if #ended > 0 then redis.call('INCRBY', erased, #ended) end
    return #ended`,
} as const
