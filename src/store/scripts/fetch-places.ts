/**
 * Gives a fetcher the time that belongs to a place in the feed. Times never go back. Of two places of one time the earlier revision and
 * the earlier part of a snapshot are kept: whoever goes on from there is told some things twice and misses none.
 */
export const keepFetchPlace = {
  numberOfKeys: 1,
  lua: `
    local places   = KEYS[1] -- sorted set: time:revision:mark:part by time [Unix seconds]
    local at       = tonumber(ARGV[1]) -- [Unix seconds]
    local revision = ARGV[2] -- [integer]
    local mark     = ARGV[3] -- [hex] of that revision
    local part     = ARGV[4] -- [integer] of a snapshot, or empty where it is told to its end
    local keptMs   = ARGV[5] -- [ms]
    -- returns [integer] the time
    local last = redis.call('ZREVRANGE', places, 0, 0, 'WITHSCORES')
    if last[2] and tonumber(last[2]) > at then at = tonumber(last[2]) end
    local known = redis.call('ZRANGEBYSCORE', places, at, at)[1]
    if known then
      local itsRevision, itsMark, itsPart = string.match(known, '^%d+:(%d+):(%x*):(%d*)$')
      if tonumber(itsRevision) < tonumber(revision) then revision, mark = itsRevision, itsMark end
      if part == '' or (itsPart ~= '' and tonumber(itsPart) < tonumber(part)) then part = itsPart end
      redis.call('ZREM', places, known)
    end
    redis.call('ZADD', places, at, string.format('%d:%s:%s:%s', at, revision, mark, part))
    redis.call('ZREMRANGEBYRANK', places, 0, -10001)
    redis.call('PEXPIRE', places, keptMs)
    return at`,
} as const
