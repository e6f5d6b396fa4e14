// Removes an entry from what is due, unless it has another time by now.
export const discardDue = {
  numberOfKeys: 1,
  lua: `
    local dues   = KEYS[1] -- sorted set, by when [epoch ms] they are due
    local member = ARGV[1]
    local dueMs  = ARGV[2] -- as it was read
    -- returns [integer] how many were removed
    local now = redis.call('ZSCORE', dues, member)
    if not now or tonumber(now) ~= tonumber(dueMs) then return 0 end
    return redis.call('ZREM', dues, member)`,
} as const
