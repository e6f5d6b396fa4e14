// Seals anew what still is as it was read. What was replaced or erased meanwhile stays so.
export const reencrypt = {
  numberOfKeys: 1,
  lua: `
    local place = KEYS[1] -- hash or string
    -- ARGV[1…]: field, as it was read, sealed anew, …; of a string the field is empty
    -- returns [integer] how many were sealed anew
    local isString = redis.call('TYPE', place).ok == 'string'
    local count = 0
    for i = 1, #ARGV, 3 do
      local field, before, after = ARGV[i], ARGV[i + 1], ARGV[i + 2]
      if isString then
        if redis.call('GET', place) == before then
          redis.call('SET', place, after, 'KEEPTTL')
          count = count + 1
        end
      elseif redis.call('HGET', place, field) == before then
        redis.call('HSET', place, field, after)
        count = count + 1
      end
    end
    return count`,
} as const

// Says that a key seals here: from now on, who has it not in his ring does not start. Running it twice changes nothing.
export const noteSealKey = {
  numberOfKeys: 1,
  lua: `
    local checks      = KEYS[1] -- hash: fingerprint -> JSON
    local fingerprint = ARGV[1]
    local json        = ARGV[2]
    -- returns 1, or 0 when it was known
    return redis.call('HSETNX', checks, fingerprint, json)`,
} as const

// Says which key all are to seal with.
export const switchSealKey = {
  numberOfKeys: 1,
  lua: `
    local active      = KEYS[1] -- string: fingerprint
    local fingerprint = ARGV[1]
    -- returns 1, or nil when it was this one
    if redis.call('GET', active) == fingerprint then return nil end
    redis.call('SET', active, fingerprint)
    return 1`,
} as const

// Forgets a key under which nothing is any more.
export const forgetSealKey = {
  numberOfKeys: 1,
  lua: `
    local checks      = KEYS[1] -- hash: fingerprint -> JSON
    local fingerprint = ARGV[1]
    -- returns 1, or nil when it was not known
    if redis.call('HDEL', checks, fingerprint) == 0 then return nil end
    return 1`,
} as const
