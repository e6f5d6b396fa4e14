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
