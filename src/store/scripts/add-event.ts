/** Length of the stream; the oldest entries are deleted beyond it. */
export const MAX_EVENTS = 10_000

// Adds an event unless one with the same `once` key exists: several processes may see the same thing at the same time.
export const addEvent = {
  numberOfKeys: 2,
  lua: `
    local events = KEYS[1] -- stream
    local once   = KEYS[2] -- string: set once the event was noted
    local kind   = ARGV[1]
    local atMs   = ARGV[2] -- [epoch ms]
    local about  = ARGV[3] -- JSON: what it is about
    local ttlS   = ARGV[4] -- [seconds] during which it is not noted again
    -- returns the id of the event, or nil when it was already noted
    if not redis.call('SET', once, '1', 'NX', 'EX', ttlS) then return nil end
    return redis.call('XADD', events, 'MAXLEN', ${MAX_EVENTS}, '*', 'kind', kind, 'atMs', atMs, 'about', about)`,
} as const
