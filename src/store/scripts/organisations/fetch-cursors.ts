/**
 * Stores the position of a fetcher in the feed, and returns the time by which the fetcher refers to it. Times never go back.
 *
 * Two positions of the same second are merged. A fetcher that continues there misses nothing, and may be told something twice: the merged position
 * has the smaller revision, the earlier part of a snapshot, and the earlier position in a batch that both are sending. It also has the newest
 * revision that a sending process knew: if the store loses that revision, the loss is detected and the fetcher restarts.
 */
export const keepFetchCursor = {
  numberOfKeys: 1,
  lua: `
    local cursors  = KEYS[1] -- sorted set: time:revision:seen:mark:part:removed:end:told:withdrawn, by time [Unix seconds]
    local at       = tonumber(ARGV[1]) -- [Unix seconds]
    local revision = ARGV[2] -- [integer]
    local seen     = ARGV[3] -- [integer] the newest revision that the sending process knew
    local mark     = ARGV[4] -- [hex] digest of the change stream there
    local part     = ARGV[5] -- [integer] of a snapshot, or empty when it was sent to its end
    local keptMs   = ARGV[6] -- [ms]
    local removed  = ARGV[7] -- [integer] the revision up to which removals were sent
    local finish   = ARGV[8] -- [integer] the end of the batch that is being sent, or empty
    local told     = ARGV[9] -- [integer] how many of its images were sent, or empty
    local withdrawn = ARGV[10] -- [integer] the position up to which withdrawals were sent
    -- returns [integer] the time
    local last = redis.call('ZREVRANGE', cursors, 0, 0, 'WITHSCORES')
    if last[2] and tonumber(last[2]) > at then at = tonumber(last[2]) end
    local known = redis.call('ZRANGEBYSCORE', cursors, at, at)[1]
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
      redis.call('ZREM', cursors, known)
    end
    local cursor = table.concat({ string.format('%d', at), revision, seen, mark, part, removed, finish, told, withdrawn }, ':')
    redis.call('ZADD', cursors, at, cursor)
    redis.call('ZREMRANGEBYRANK', cursors, 0, -10001)
    redis.call('PEXPIRE', cursors, keptMs)
    return at`,
} as const
