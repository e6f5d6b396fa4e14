import { storeTimeLua } from '../store-time.js'

/** Images of cases that wait for a batch. When there are as many, the batch ends at once: memory stays bounded also if no follower reads. */
const MAX_WAITING = 50_000
/** How many ends of batches are remembered, and for how long the content of each. A follower that is further behind restarts with a snapshot. */
const MAX_ENDS = 100_000
const KEPT_MS = 30 * 86_400_000
/** Above this number the mixture is checked at most once a second, however many followers ask. The check takes half a microsecond for each. */
const MANY_WAITING = 1000

/**
 * Lua. `feed_later(changes, revision, kind, ids)` notes images [16 bytes each] that followers are told of with the next batch. Kind c: new images of
 * a case; s: images whose trust status changed. `cancel_feed(prefix, id)` removes an erased image from the open batch. `close_batch(prefix,
 * revision)` ends the open batch. The keys have the same hash tag as the declared ones.
 */
export const feedLaterLua = `${storeTimeLua}
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
    local function feed_later (changes, revision, kind, ids)
      local prefix = string.match(changes, '^(.*)changes$')
      for _, id in ipairs(ids) do redis.call('ZADD', prefix .. 'feed-waiting', revision, kind .. id) end
      redis.call('SET', prefix .. 'feed-waiting-since', string.format('%d', store_ms()), 'NX')
      if redis.call('ZCARD', prefix .. 'feed-waiting') >= ${MAX_WAITING} then close_batch(prefix, revision) end
    end
    local function cancel_feed (prefix, id)
      if redis.call('ZREM', prefix .. 'feed-waiting', 'c' .. id, 's' .. id) == 0 then return end
      if redis.call('ZCARD', prefix .. 'feed-waiting') == 0 then redis.call('DEL', prefix .. 'feed-waiting-since') end
    end`

// Ends the open batch of the feed when it mixes enough cases or has waited long enough.
export const endFeedBatch = {
  numberOfKeys: 4,
  lua: `${feedLaterLua}
    local batches  = KEYS[1] -- sorted set: revisions at which a batch ended
    local waiting  = KEYS[2] -- sorted set: kind and id of each image in the open batch, by revision
    local since    = KEYS[3] -- string: [epoch ms] since when an image waits
    local revision = KEYS[4] -- string: the last one
    local prefix   = ARGV[1] -- of all keys
    local minMs    = tonumber(ARGV[2]) -- [ms] for which a batch stays open at least
    local maxMs    = tonumber(ARGV[3]) -- [ms] after which it ends at the latest
    local images   = tonumber(ARGV[4]) -- [integer] images of each kind in a mixed batch, at least
    local cases    = tonumber(ARGV[5]) -- [integer] cases that they belong to, at least
    local bytes    = tonumber(ARGV[6]) -- [integer] length of the part of an id that is the same for all images of a case
    -- returns {[integer] revision at which the last batch ended, [ms] until the open one may end, or -1 when no image waits}
    local last = redis.call('ZREVRANGE', batches, 0, 0)[1]
    if not last then
      local first = redis.call('ZRANGE', waiting, 0, 0, 'WITHSCORES')[2]
      last = first and tonumber(first) - 1 or tonumber(redis.call('GET', revision) or '0')
      redis.call('ZADD', batches, last, last)
    end
    local sinceMs = tonumber(redis.call('GET', since) or '')
    if not sinceMs then return { tonumber(last), -1 } end
    local nowMs = store_ms()
    if sinceMs > nowMs then
      -- The clock was ahead when the first image came. Counted from then, the batch would stay open until the clock gets there.
      sinceMs = nowMs
      redis.call('SET', since, string.format('%d', nowMs))
    end
    local ageMs = nowMs - sinceMs
    if ageMs < minMs then return { tonumber(last), minMs - ageMs } end
    local function isMixed ()
      local counts = {}
      for _, member in ipairs(redis.call('ZRANGE', waiting, 0, -1)) do
        local kind, origin = string.sub(member, 1, 1), string.sub(member, 2, 1 + bytes)
        local stats = counts[kind] or { all = 0, most = 0, cases = 0, of = {} }
        counts[kind] = stats
        if not stats.of[origin] then stats.cases = stats.cases + 1 end
        stats.of[origin] = (stats.of[origin] or 0) + 1
        stats.all = stats.all + 1
        stats.most = math.max(stats.most, stats.of[origin])
      end
      for _, stats in pairs(counts) do
        if stats.all < images or stats.cases < cases or stats.most * 2 > stats.all then return false end
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
