// Removes an entry of a schedule, unless it is due at another time by now.
export const discardDue = {
  numberOfKeys: 1,
  lua: `
    local schedule = KEYS[1] -- sorted set, by when [epoch ms] they are due
    local member = ARGV[1]
    local dueMs  = ARGV[2] -- [epoch ms] as it was read
    -- returns [integer] how many were removed
    local current = redis.call('ZSCORE', schedule, member)
    if not current or tonumber(current) ~= tonumber(dueMs) then return 0 end
    return redis.call('ZREM', schedule, member)`,
} as const
