// Makes `writer` the only one that may write to an import. A previous writer notices at its next write.
export const claimImport = {
  numberOfKeys: 3,
  lua: `
    local import   = KEYS[1] -- hash
    local rejected = KEYS[2] -- list: notes about ranges of lines
    local imports  = KEYS[3] -- sorted set: those of the bank
    local writer   = ARGV[1] -- random
    local id       = ARGV[2]
    local atMs     = ARGV[3] -- [epoch ms]
    local keptMs   = ARGV[4] -- [ms]
    -- returns the progress so far as JSON, or nil when there is none
    redis.call('HSET', import, 'writer', writer)
    redis.call('ZADD', imports, 'NX', atMs, id)
    redis.call('ZREMRANGEBYSCORE', imports, '-inf', atMs - keptMs)
    for _, key in ipairs({ import, rejected, imports }) do redis.call('PEXPIRE', key, keptMs) end
    return redis.call('HGET', import, 'progress')`,
} as const

// Saves the progress of an import, if it still belongs to this writer.
export const checkpointImport = {
  numberOfKeys: 3,
  lua: `
    local import   = KEYS[1] -- hash
    local rejected = KEYS[2] -- list: notes about ranges of lines
    local imports  = KEYS[3] -- sorted set: those of the bank
    local writer   = ARGV[1]
    local progress = ARGV[2] -- JSON
    local most     = tonumber(ARGV[3]) -- [integer] notes that are kept
    local keptMs   = ARGV[4] -- [ms]
    -- ARGV[5…]       new notes as JSON
    -- returns 1, or 0 when another writer has taken over
    if redis.call('HGET', import, 'writer') ~= writer then return 0 end
    redis.call('HSET', import, 'progress', progress)
    local room = most - redis.call('LLEN', rejected)
    for i = 5, math.min(#ARGV, room + 4) do redis.call('RPUSH', rejected, ARGV[i]) end
    for _, key in ipairs({ import, rejected, imports }) do redis.call('PEXPIRE', key, keptMs) end
    return 1`,
} as const
