// Replaces sealed values by re-encrypted ones where they still are as read. What was changed or erased meanwhile stays so.
export const reencrypt = {
  numberOfKeys: 1,
  lua: `
    local place = KEYS[1] -- hash or string
    -- ARGV[1…]: field, value as read, value re-encrypted, …; the field is empty for a string
    -- returns [integer] how many were replaced
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

// Records that a key seals values of this store: a process whose key ring lacks it does not start. Idempotent.
export const noteSealKey = {
  numberOfKeys: 1,
  lua: `
    local checks      = KEYS[1] -- hash: fingerprint -> JSON
    local fingerprint = ARGV[1]
    local json        = ARGV[2]
    -- returns 1, or 0 when it was already recorded
    return redis.call('HSETNX', checks, fingerprint, json)`,
} as const

// Sets the key with which every process seals.
export const switchSealKey = {
  numberOfKeys: 1,
  lua: `
    local active      = KEYS[1] -- string: fingerprint
    local fingerprint = ARGV[1]
    -- returns 1, or nil when it was already active
    if redis.call('GET', active) == fingerprint then return nil end
    redis.call('SET', active, fingerprint)
    return 1`,
} as const

// Forgets a key that no longer seals any value.
export const forgetSealKey = {
  numberOfKeys: 1,
  lua: `
    local checks      = KEYS[1] -- hash: fingerprint -> JSON
    local fingerprint = ARGV[1]
    -- returns 1, or nil when it was not recorded
    if redis.call('HDEL', checks, fingerprint) == 0 then return nil end
    return 1`,
} as const
