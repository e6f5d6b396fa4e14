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
