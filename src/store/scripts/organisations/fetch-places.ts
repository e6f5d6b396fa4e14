/**
 * Gives a fetcher the time that belongs to a place in the feed. Times never go back. Of two places of one time the earlier revisions and
 * the earlier part of a snapshot are kept, and a batch that both are telling from where less of it was told: a fetcher that goes on from there
 * is told some things twice and misses none. Of what the telling
 * processes knew the later is kept: a store that lost any of it is told from the beginning.
 */
export const keepFetchCursor = {
  numberOfKeys: 1,
  lua: `
    local places   = KEYS[1] -- sorted set: time:revision:seen:mark:part:removed:end:told:withdrawn by time [Unix seconds]
    local at       = tonumber(ARGV[1]) -- [Unix seconds]
    local revision = ARGV[2] -- [integer]
    local seen     = ARGV[3] -- [integer] the newest revision that the telling process knew
    local mark     = ARGV[4] -- [hex] of the history there
    local part     = ARGV[5] -- [integer] of a snapshot, or empty where it is told to its end
    local keptMs   = ARGV[6] -- [ms]
    local removed  = ARGV[7] -- [integer] the revision up to which removals were told
    local finish   = ARGV[8] -- [integer] the end of the batch that is being told, or empty
    local told     = ARGV[9] -- [integer] how many of its images were told, or empty
    local withdrawn = ARGV[10] -- [integer] the place up to which withdrawals were told
    -- returns [integer] the time
    local last = redis.call('ZREVRANGE', places, 0, 0, 'WITHSCORES')
    if last[2] and tonumber(last[2]) > at then at = tonumber(last[2]) end
    local known = redis.call('ZRANGEBYSCORE', places, at, at)[1]
    if known then
      local itsRevision, itsSeen, itsMark, itsPart, itsRemoved, itsFinish, itsTold, itsWithdrawn =
        string.match(known, '^%d+:(%d+):(%d+):(%x*):(%d*):(%d+):(%d*):(%d*):(%d+)$')
      if itsRevision then
        if itsRevision ~= revision or itsFinish ~= finish then
          finish, told = '', ''
        elseif finish ~= '' and tonumber(itsTold) < tonumber(told) then
          told = itsTold
        end
        if tonumber(itsRevision) < tonumber(revision) then revision = itsRevision end
        if tonumber(itsWithdrawn) < tonumber(withdrawn) then withdrawn = itsWithdrawn end
        if tonumber(itsRemoved) < tonumber(removed) then removed = itsRemoved end
        if tonumber(itsSeen) > tonumber(seen) then seen, mark = itsSeen, itsMark end
        if part == '' or (itsPart ~= '' and tonumber(itsPart) < tonumber(part)) then part = itsPart end
      end
      redis.call('ZREM', places, known)
    end
    local place = table.concat({ string.format('%d', at), revision, seen, mark, part, removed, finish, told, withdrawn }, ':')
    redis.call('ZADD', places, at, place)
    redis.call('ZREMRANGEBYRANK', places, 0, -10001)
    redis.call('PEXPIRE', places, keptMs)
    return at`,
} as const
