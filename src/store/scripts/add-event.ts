/** Length of the stream; the oldest entries are deleted beyond it. */
export const MAX_EVENTS = 10_000
/** Clocks of processes differ by less, unless one is wrong. */
const MAX_APART_MS = 60_000

// Adds an event unless one with the same `once` key exists: several processes may see the same thing at the same time.
export const addEvent = {
  numberOfKeys: 2,
  lua: `
    local events = KEYS[1] -- stream
    local once   = KEYS[2] -- string: [epoch ms] when the event was noted last
    local kind   = ARGV[1]
    local atMs   = ARGV[2] -- [epoch ms]
    local about  = ARGV[3] -- JSON: what it is about
    local ttlS   = ARGV[4] -- [seconds] during which it is not noted again
    -- returns the id of the event, or nil when it was already noted
    local noted = redis.call('GET', once)
    -- Noted at a later time: that clock was ahead, and what it told has happened only now.
    if noted and tonumber(noted) <= tonumber(atMs) + ${MAX_APART_MS} then return nil end
    redis.call('SET', once, atMs, 'EX', ttlS)
    return redis.call('XADD', events, 'MAXLEN', ${MAX_EVENTS}, '*', 'kind', kind, 'atMs', atMs, 'about', about)`,
} as const
