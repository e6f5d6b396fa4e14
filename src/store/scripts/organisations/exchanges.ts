// Notes records that a feed named while it is read anew. Running it twice changes nothing.
export const noteNamed = {
  numberOfKeys: 1,
  lua: `
    local named = KEYS[1] -- set: keyed hashes of names of records
    -- ARGV[i]  [16 bytes] name
    -- returns [integer] 1
    for i = 1, #ARGV do redis.call('SADD', named, ARGV[i]) end
    return 1`,
} as const

export const forgetNamed = {
  numberOfKeys: 1,
  lua: `
    redis.call('UNLINK', KEYS[1])
    return 1`,
} as const

// Makes a pull the one that may write; the one before it is overtaken. Running it twice changes nothing.
export const beginPull = {
  numberOfKeys: 1,
  lua: `
    local run    = KEYS[1] -- hash: writer
    local writer = ARGV[1] -- the pull
    -- returns [integer] 1
    redis.call('HSET', run, 'writer', writer)
    return 1`,
} as const

// Says how far a feed has come, and which signals its records became, in one step.
export const saveExchange = {
  numberOfKeys: 2,
  lua: `
    local state   = KEYS[1] -- string: JSON
    local entries = KEYS[2] -- hash: keyed hash of a record's name -> id of its signal
    local json    = ARGV[1]
    -- ARGV[2i], ARGV[2i + 1]  [16 bytes] name, [16 bytes] id; an empty id for a record that is gone
    -- returns [integer] 1
    redis.call('SET', state, json)
    for i = 2, #ARGV, 2 do
      if ARGV[i + 1] == '' then redis.call('HDEL', entries, ARGV[i]) else redis.call('HSET', entries, ARGV[i], ARGV[i + 1]) end
    end
    return 1`,
} as const
