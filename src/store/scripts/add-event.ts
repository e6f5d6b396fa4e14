/** Beyond it the oldest are forgotten. */
export const MAX_EVENTS = 10_000

// Notes an event, once for each `once` that is given: several processes may see the same thing at the same time.
export const addEvent = {
  numberOfKeys: 2,
  lua: `
    local events = KEYS[1] -- stream
    local once   = KEYS[2] -- string: that it was noted
    local kind   = ARGV[1]
    local atMs   = ARGV[2] -- [epoch ms]
    local about  = ARGV[3] -- JSON
    local ttlS   = ARGV[4] -- [seconds] for which it is not noted again
    -- returns the id of the event, or nil when it was noted before
    if not redis.call('SET', once, '1', 'NX', 'EX', ttlS) then return nil end
    return redis.call('XADD', events, 'MAXLEN', ${MAX_EVENTS}, '*', 'kind', kind, 'atMs', atMs, 'about', about)`,
} as const
