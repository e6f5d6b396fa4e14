// Records which records a feed named while it is read from the beginning. Idempotent.
export const noteNamed = {
  numberOfKeys: 1,
  lua: `
    local named = KEYS[1] -- set: keyed hashes of names of records
    -- ARGV[i]  [16 bytes] name
    -- returns 1
    for i = 1, #ARGV do redis.call('SADD', named, ARGV[i]) end
    return 1`,
} as const

export const forgetNamed = {
  numberOfKeys: 1,
  lua: `
    redis.call('UNLINK', KEYS[1])
    return 1`,
} as const

// Makes this pull the only one that may write to an exchange; a pull that still runs is overtaken. Idempotent.
export const beginPull = {
  numberOfKeys: 1,
  lua: `
    local run    = KEYS[1] -- hash: writer
    local writer = ARGV[1] -- the pull
    -- returns 1
    redis.call('HSET', run, 'writer', writer)
    return 1`,
} as const

// Saves the position in a feed and the signals that its records became, in one step.
export const saveExchange = {
  numberOfKeys: 2,
  lua: `
    local state   = KEYS[1] -- string: JSON
    local entries = KEYS[2] -- hash: keyed hash of a record's name -> id of its signal
    local json    = ARGV[1]
    -- ARGV[2i], ARGV[2i + 1]  [16 bytes] name, [16 bytes] id of its signal; empty when the record was removed
    -- returns 1
    redis.call('SET', state, json)
    for i = 2, #ARGV, 2 do
      if ARGV[i + 1] == '' then redis.call('HDEL', entries, ARGV[i]) else redis.call('HSET', entries, ARGV[i], ARGV[i + 1]) end
    end
    return 1`,
} as const
