import { caseEventLua } from './case-event.js'

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

// Notes that a PIN was right. A PIN that was still to be used takes the place of the one before, in one step: at every moment a PIN
// opens the case that she was shown.
export const usePin = {
  numberOfKeys: 2,
  lua: `${caseEventLua}
    local case   = KEYS[1] -- hash: the case
    local events = KEYS[2] -- stream: its time line
    local given  = ARGV[1] -- the stretched PIN
    local atMs   = ARGV[2] -- [epoch ms], the caller's clock
    -- returns {[integer] how often the PIN has changed, 1 if it changed now}, or nil when this PIN opens nothing any more
    local current, next = unpack(redis.call('HMGET', case, 'pin', 'nextPin'))
    local isNext = given == next
    if not isNext and given ~= current then return nil end
    redis.call('HDEL', case, 'handoverSeed')
    if not isNext then return { tonumber(redis.call('HGET', case, 'pinChanges') or '0'), 0 } end
    redis.call('HSET', case, 'pin', given)
    redis.call('HDEL', case, 'nextPin')
    note(events, 'pin-changed', 0, atMs)
    return { redis.call('HINCRBY', case, 'pinChanges', 1), 1 }`,
} as const
