import { announceLua } from '../announce.js'

// After a restore: continues the revisions behind all that were ever given, and announces the restore. Each run announces it again.
export const raiseRevision = {
  numberOfKeys: 2,
  lua: `${announceLua}
    local revision = KEYS[1]
    local changes  = KEYS[2]
    local least    = tonumber(ARGV[1])
    -- returns [integer] the revision of that announcement, at least as large as the argument
    local last = tonumber(redis.call('GET', revision) or '0')
    if last < least - 1 then redis.call('SET', revision, least - 1) end
    return announce(revision, changes, 'restored', '')`,
} as const
