/** More images of cases than that wait for nothing: what waits is bounded, also where nobody reads the feed. */
const MAX_WAITING = 50_000
/** Ends that are remembered, and for how long what was in a batch is: a follower that stopped before begins with a snapshot. */
const MAX_ENDS = 100_000
const KEPT_MS = 30 * 86_400_000
/** Whether so many are mixed is looked at once a second, however many followers ask: it takes half a microsecond each. */
const MANY_WAITING = 1000

/**
 * Lua: `tell_later(changes, revision, kind, ids)` notes images [16 bytes each] that followers are told of with the next batch: kind c, new ones
 * of a case; s, such as were there. `tell_no_later(prefix, id)` is for one that is erased: it makes no mixture. `close_batch(prefix, revision)`
 * ends the open batch. Their keys carry the same hash tag as the declared ones.
 */
export const feedLaterLua = `
    local function close_batch (prefix, revision)
      local ids, known = {}, {}
      for _, member in ipairs(redis.call('ZRANGE', prefix .. 'feed-waiting', 0, -1)) do
        local id = string.sub(member, 2)
        if not known[id] then ids[#ids + 1] = id end
        known[id] = true
      end
      redis.call('SET', prefix .. 'feed-batch:' .. revision, table.concat(ids), 'PX', ${KEPT_MS})
      redis.call('ZADD', prefix .. 'feed-batches', revision, revision)
      redis.call('ZREMRANGEBYRANK', prefix .. 'feed-batches', 0, -${MAX_ENDS + 1})
      redis.call('DEL', prefix .. 'feed-waiting', prefix .. 'feed-waiting-since')
    end
    local function tell_later (changes, revision, kind, ids)
      local prefix = string.match(changes, '^(.*)changes$')
      for _, id in ipairs(ids) do redis.call('ZADD', prefix .. 'feed-waiting', revision, kind .. id) end
      local time = redis.call('TIME')
      local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
      redis.call('SET', prefix .. 'feed-waiting-since', string.format('%d', nowMs), 'NX')
      if redis.call('ZCARD', prefix .. 'feed-waiting') >= ${MAX_WAITING} then close_batch(prefix, revision) end
    end
    local function tell_no_later (prefix, id)
      if redis.call('ZREM', prefix .. 'feed-waiting', 'c' .. id, 's' .. id) == 0 then return end
      if redis.call('ZCARD', prefix .. 'feed-waiting') == 0 then redis.call('DEL', prefix .. 'feed-waiting-since') end
    end`

// Ends the batch of images that the feed tells together, when it is mixed enough or has waited long enough.
export const endFeedBatch = {
  numberOfKeys: 4,
  lua: `${feedLaterLua}
    local batches  = KEYS[1] -- sorted set: revisions at which a batch ended
    local waiting  = KEYS[2] -- sorted set: kind and id of what waits, by revision
    local since    = KEYS[3] -- string: [epoch ms] since when something waits
    local revision = KEYS[4] -- string: the last one
    local prefix   = ARGV[1] -- of all keys
    local minMs    = tonumber(ARGV[2]) -- [ms] for which a batch stays open in any case
    local maxMs    = tonumber(ARGV[3]) -- [ms] after which it ends in any case
    local images   = tonumber(ARGV[4]) -- [integer] that a mixed batch has at least, of each kind that it has
    local cases    = tonumber(ARGV[5]) -- [integer] that they are of at least
    local bytes    = tonumber(ARGV[6]) -- [integer] of an id that are its case's
    -- returns {[integer] where the last batch ended, [ms] until the open one may end, or -1 when nothing waits}
    local last = redis.call('ZREVRANGE', batches, 0, 0)[1]
    if not last then
      local first = redis.call('ZRANGE', waiting, 0, 0, 'WITHSCORES')[2]
      last = first and tonumber(first) - 1 or tonumber(redis.call('GET', revision) or '0')
      redis.call('ZADD', batches, last, last)
    end
    local sinceMs = redis.call('GET', since)
    if not sinceMs then return { tonumber(last), -1 } end
    local time = redis.call('TIME')
    local ageMs = math.max(0, time[1] * 1000 + math.floor(time[2] / 1000) - tonumber(sinceMs))
    if ageMs < minMs then return { tonumber(last), minMs - ageMs } end
    local function isMixed ()
      local counts = {}
      for _, member in ipairs(redis.call('ZRANGE', waiting, 0, -1)) do
        local kind, origin = string.sub(member, 1, 1), string.sub(member, 2, 1 + bytes)
        local own = counts[kind] or { all = 0, most = 0, cases = 0, of = {} }
        counts[kind] = own
        if not own.of[origin] then own.cases = own.cases + 1 end
        own.of[origin] = (own.of[origin] or 0) + 1
        own.all = own.all + 1
        own.most = math.max(own.most, own.of[origin])
      end
      for _, own in pairs(counts) do
        if own.all < images or own.cases < cases or own.most * 2 > own.all then return false end
      end
      return true
    end
    if ageMs < maxMs then
      local isMany = redis.call('ZCARD', waiting) > ${MANY_WAITING}
      if isMany and not redis.call('SET', prefix .. 'feed-waiting-looked', '1', 'NX', 'PX', 1000) then
        return { tonumber(last), 1000 }
      end
      if not isMixed() then return { tonumber(last), maxMs - ageMs } end
    end
    local now = tonumber(redis.call('GET', revision) or '0')
    close_batch(prefix, now)
    return { now, -1 }`,
} as const
