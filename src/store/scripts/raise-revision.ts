// After a restore: revisions go on behind all that were ever given, so that none is given twice. Running it twice changes nothing.
export const raiseRevision = {
  numberOfKeys: 1,
  lua: `
    local revision = KEYS[1]
    local least    = tonumber(ARGV[1])
    -- returns [integer] the revision from now on
    if tonumber(redis.call('GET', revision) or '0') < least then redis.call('SET', revision, ARGV[1]) end
    return tonumber(redis.call('GET', revision) or '0')`,
} as const
