import { announceLua } from '../announce.js'
import { handedOverLua } from '../cases/handed-over.js'
import { forgetDeadlinesLua, hexLua } from '../cases/image-deadlines.js'
import { feedLaterLua } from '../organisations/feed-batches.js'
import { outboxLua } from '../organisations/outbox.js'
import { forgetWatchToldLua } from '../organisations/watches.js'

/** Lua: `pseudonymsOf(tag, hex)` returns the pseudonyms of the organisations that were told of an image, separated by spaces. */
const pseudonymsLua = `${hexLua}
    local function pseudonymsOf (tag, hex)
      return table.concat(redis.call('SMEMBERS', tag .. 'told:' .. hex), ' ')
    end`

/**
 * Lua: `set_block(tag, blocks, atMs, untilMs, first)` blocks the digests in ARGV from `first` on until `untilMs`, or unblocks them when it is empty. It
 * also removes blocks that have ended; the key expires with the last block. No `unpack`: a video has more digests than fit on Lua's stack.
 *
 * The digests of one image are one block, listed and lifted by its first digest: the others end half a millisecond later, in a millisecond that no
 * other block has. A digest belongs to the block that was set last; if it was the first of another one, the next digest of that one takes its place.
 * An appeal moves along: to that digest, or to the new block if it took all of the old one. The keys have the same hash tag as the declared ones.
 */
const blockLua = `
    local function move_appeals (tag, from, to)
      for _, key in ipairs({ tag .. 'appeals', tag .. 'denied-appeals' }) do
        local score = redis.call('ZSCORE', key, 'b' .. from)
        if score and from ~= to then
          redis.call('ZREM', key, 'b' .. from)
          if to then redis.call('ZADD', key, score, 'b' .. to) end
        end
      end
    end
    local function set_block (tag, blocks, atMs, untilMs, first)
      redis.call('ZREMRANGEBYSCORE', blocks, '-inf', atMs)
      local led = {} -- blocks whose first digest is taken: that digest, and when [epoch ms] they end
      for i = first, #ARGV do
        local old = tonumber(redis.call('ZSCORE', blocks, ARGV[i]) or nil)
        if old and old % 1 == 0 then led[#led + 1] = { ARGV[i], old } end
        redis.call('ZREM', blocks, ARGV[i])
      end
      for _, block in ipairs(led) do
        local digest, endMs = unpack(block)
        local rest = redis.call('ZRANGEBYSCORE', blocks, endMs + 0.5, endMs + 0.5, 'LIMIT', 0, 1)
        if rest[1] then redis.call('ZADD', blocks, endMs, rest[1]) end
        move_appeals(tag, digest, rest[1] or (untilMs ~= '' and ARGV[first]) or nil)
      end
      if untilMs ~= '' then
        local endMs = tonumber(untilMs)
        local hasMore = #ARGV > first
        while redis.call('ZCOUNT', blocks, hasMore and endMs or endMs + 0.5, endMs + 0.5) > 0 do endMs = endMs + 1 end
        for i = first, #ARGV do
          redis.call('ZADD', blocks, 'NX', i == first and endMs or endMs + 0.5, ARGV[i])
        end
      end
      local last = redis.call('ZRANGE', blocks, -1, -1, 'WITHSCORES')[2]
      if last then redis.call('PEXPIREAT', blocks, string.format('%d', tonumber(last))) end
    end`

// Stores the trust status of a signal, unless another process changed it since it was read or the signal no longer exists, and announces it if
// the few bytes that every replica holds changed.
export const putTrust = {
  numberOfKeys: 8,
  lua: `${announceLua}${feedLaterLua}${outboxLua}${pseudonymsLua}${blockLua}${handedOverLua}
    local images        = KEYS[1] -- hash: the shard of the image
    local trust         = KEYS[2] -- hash: image id -> version:JSON
    local trustStatuses = KEYS[3] -- hash: image id -> [2 to 10 bytes]
    local disputes      = KEYS[4] -- sorted set: image ids
    local quarantine    = KEYS[5] -- sorted set: image ids
    local holdSchedule  = KEYS[6] -- sorted set: image ids, by when [epoch ms] their pause ends
    local revision      = KEYS[7]
    local changes       = KEYS[8]
    local id            = ARGV[1] -- [16 bytes]
    local version       = ARGV[2] -- the version that was read; 0 for none
    local json          = ARGV[3]
    local trustStatus   = ARGV[4] -- [2 to 10 bytes]
    local disputedAt    = ARGV[5] -- [epoch ms], or empty
    local heldAt        = ARGV[6] -- [epoch ms], or empty
    local dueMs         = ARGV[7] -- [epoch ms] when its pause ends, or empty
    local blocks        = ARGV[8] -- key of the sorted set of digests that must not be submitted again, or empty
    local atMs          = ARGV[9] -- [epoch ms]
    local untilMs       = ARGV[10] -- [epoch ms] until when they are blocked, or empty to unblock them
    local assisted      = ARGV[11] -- key of the case for which an organisation acts, or empty; refused once it handed the case over
    -- ARGV[12…]     [16 bytes] keyed digests of the image. Keys in ARGV have the same hash tag as the declared ones
    -- returns [integer] the revision that has it; 0 when these bytes are unchanged; -1 when another process was first; -2 after a handover;
    -- nil without the image
    if assisted ~= '' and isHandedOver(assisted, 'organisation') then return -2 end
    if redis.call('HEXISTS', images, id) == 0 then return nil end
    local stored = redis.call('HGET', trust, id)
    local current = stored and string.match(stored, '^%d+') or '0'
    if current ~= version then return -1 end
    redis.call('HSET', trust, id, string.format('%d:', tonumber(version) + 1) .. json)
    local tag = string.match(disputes, '^(.*)disputes$')
    if disputedAt == '' then
      redis.call('ZREM', disputes, id)
    elseif redis.call('ZADD', disputes, disputedAt, id) == 1 then
      outbox(tag, 'kind', 'signal.disputed', 'image', id, 'pseudonyms', pseudonymsOf(tag, hexOf(id)), 'atMs', disputedAt)
    end
    if blocks ~= '' then set_block(tag, blocks, atMs, untilMs, 12) end
    if heldAt == '' then redis.call('ZREM', quarantine, id) else redis.call('ZADD', quarantine, heldAt, id) end
    if dueMs == '' then redis.call('ZREM', holdSchedule, id) else redis.call('ZADD', holdSchedule, dueMs, id) end
    if redis.call('HGET', trustStatuses, id) == trustStatus then return 0 end
    redis.call('HSET', trustStatuses, id, trustStatus)
    local at = announce(revision, changes, 'image', id, 'trustStatus')
    feed_later(changes, at, 's', { id })
    return at`,
} as const

/**
 * Lua: `forget_trust(tag, id)`, for scripts that erase images. Deletes an image's trust status, match counts and deadlines. Organisations that
 * were told of it in a match get a `signal.withdrawn` event. The keys have the same hash tag as the declared ones.
 */
export const forgetTrustLua = `${outboxLua}${pseudonymsLua}${forgetDeadlinesLua}${forgetWatchToldLua}
    local function forget_trust (tag, id)
      redis.call('HDEL', tag .. 'trust:' .. id:byte(16), id)
      redis.call('HDEL', tag .. 'trust-statuses:' .. id:byte(16), id)
      redis.call('ZREM', tag .. 'disputes', id)
      redis.call('ZREM', tag .. 'quarantine', id)
      redis.call('ZREM', tag .. 'hold-schedule', id)
      redis.call('ZREM', tag .. 'appeals', 's' .. id)
      redis.call('ZREM', tag .. 'denied-appeals', 's' .. id)
      local hex = hexOf(id)
      local pseudonyms = pseudonymsOf(tag, hex)
      if pseudonyms ~= '' then outbox(tag, 'kind', 'signal.withdrawn', 'image', id, 'pseudonyms', pseudonyms) end
      redis.call('DEL', tag .. 'match-events:' .. hex, tag .. 'told:' .. hex, tag .. 'looks:' .. hex, tag .. 'looks-before:' .. hex)
      redis.call('DEL', tag .. 'look-frames:' .. hex, tag .. 'look-frames-before:' .. hex)
      redis.call('SREM', tag .. 'noticed', id)
      forget_deadlines(tag, hex)
      forget_watch_told(tag, hex)
    end`

/**
 * Lua: `harmless_since(tag, id)` returns when [epoch ms] an image was judged harmless, or nil. Call it before `forget_trust`. The flag is
 * `HARMLESS` of src/store/trust/trust.ts.
 */
export const harmlessSinceLua = `
    local function harmless_since (tag, id)
      local trustStatus = redis.call('HGET', tag .. 'trust-statuses:' .. id:byte(16), id)
      if not trustStatus or math.floor(trustStatus:byte(1) / 4) % 2 == 0 then return nil end
      local said = redis.call('HGET', tag .. 'trust:' .. id:byte(16), id)
      return said and tonumber(cjson.decode(string.match(said, '^%d+:(.*)$')).decidedAtMs)
    end`
