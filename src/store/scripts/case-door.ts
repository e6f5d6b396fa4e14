// Opens a case unless its number is taken.
export const addCase = {
  numberOfKeys: 1,
  lua: `
    local case = KEYS[1] -- hash: the case
    -- ARGV: field, value, field, value, …
    -- returns 1, or 0 when there is such a case
    if redis.call('EXISTS', case) == 1 then return 0 end
    redis.call('HSET', case, unpack(ARGV))
    return 1`,
} as const

// Counts one PIN, right or wrong. The clock starts with the first and is not moved by the next, or a stranger could keep
// a case locked for ever.
export const countPinTry = {
  numberOfKeys: 1,
  lua: `
    local tries = KEYS[1]
    local lockS = ARGV[1] -- [seconds]
    -- returns {[integer] tries, [seconds] until they are forgotten}
    local count = redis.call('INCR', tries)
    if count == 1 then redis.call('EXPIRE', tries, lockS) end
    return { count, redis.call('TTL', tries) }`,
} as const
