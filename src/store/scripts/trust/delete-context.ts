// Deletes one context of an organisation, with the images counted in it.
export const deleteContext = {
  numberOfKeys: 'some',
  lua: `
    local contexts = KEYS[1] -- sorted set: keyed hashes of contexts, by when [epoch ms] each was seen last
    local names    = KEYS[2] -- hash: the same keyed hashes -> sealed text
    -- KEYS[3] and following: HyperLogLogs of the context's images
    local context  = ARGV[1] -- keyed hash
    -- returns [integer] 1 if there was such a context, otherwise 0
    redis.call('HDEL', names, context)
    for i = 3, #KEYS do redis.call('UNLINK', KEYS[i]) end
    return redis.call('ZREM', contexts, context)`,
} as const
