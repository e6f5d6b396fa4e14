// Deletes one context of an organisation, with the images counted in it.
export const deleteContext = {
  numberOfKeys: 'some',
  lua: `
    local contexts = KEYS[1] -- sorted set: keyed hashes of contexts, by when [epoch ms] each was seen last
    local names    = KEYS[2] -- hash: the same keyed hashes -> sealed text
    local erased   = KEYS[3] -- [integer] what is still in old lines of the append-only file
    -- KEYS[4] and following: HyperLogLogs of the context's images
    local context  = ARGV[1] -- keyed hash
    -- returns [integer] 1 if there was such a context, otherwise 0
    if redis.call('HDEL', names, context) == 1 then redis.call('INCR', erased) end
    for i = 4, #KEYS do redis.call('UNLINK', KEYS[i]) end
    return redis.call('ZREM', contexts, context)`,
} as const
