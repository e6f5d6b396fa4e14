import { announceLua } from '../announce.js'

// After a restore: revisions go on behind all that were ever given, and who follows the stream is told. Running it twice tells it twice.
export const raiseRevision = {
  numberOfKeys: 2,
  lua: `${announceLua}
    local revision = KEYS[1]
    local changes  = KEYS[2]
    local least    = tonumber(ARGV[1])
    -- returns [integer] the revision from now on, at least that
    local last = tonumber(redis.call('GET', revision) or '0')
    if last < least - 1 then redis.call('SET', revision, least - 1) end
    return announce(revision, changes, 'restored', '')`,
} as const
