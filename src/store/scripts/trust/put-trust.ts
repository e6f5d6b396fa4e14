import { announceLua } from '../announce.js'
import { handedOverLua } from '../cases/handed-over.js'
import { forgetDeadlinesLua, hexLua } from '../cases/image-deadlines.js'
import { feedLaterLua } from '../organisations/feed-batches.js'
import { outboxLua } from '../organisations/outbox.js'

/** `partiesOf(tag, hex)`: under which keyed hashes it stands who was told of an image, with spaces between. */
const pseudonymsLua = `${hexLua}
    local function partiesOf (tag, hex)
      return table.concat(redis.call('SMEMBERS', tag .. 'told:' .. hex), ' ')
    end`

/** `refuse(invalidated, atMs, untilMs, digests)`. Those whose time is over go with the next one, or all with the last one's. */
const refuseLua = `
    local function refuse (invalidated, atMs, untilMs, digests)
      redis.call('ZREMRANGEBYSCORE', invalidated, '-inf', atMs)
      for _, digest in ipairs(digests) do
        if untilMs == '' then redis.call('ZREM', invalidated, digest) else redis.call('ZADD', invalidated, untilMs, digest) end
      end
      local last = redis.call('ZRANGE', invalidated, -1, -1, 'WITHSCORES')[2]
      if last then redis.call('PEXPIREAT', invalidated, string.format('%d', tonumber(last))) end
    end`

// Stores what was said about a signal, if nobody was faster and the signal is still there, and tells every index what it has to know.
export const putTrust = {
  numberOfKeys: 8,
  lua: `${announceLua}${feedLaterLua}${outboxLua}${pseudonymsLua}${refuseLua}${handedOverLua}
    local images     = KEYS[1] -- hash: the shard of the image
    local trust      = KEYS[2] -- hash: image id -> version:JSON
    local trustStatuses  = KEYS[3] -- hash: image id -> [2 bytes]
    local disputes   = KEYS[4] -- sorted set: image ids
    local quarantine = KEYS[5] -- sorted set: image ids
    local holdSchedule  = KEYS[6] -- sorted set: image ids, by when their pause ends
    local revision   = KEYS[7]
    local changes    = KEYS[8]
    local id         = ARGV[1] -- [16 bytes]
    local version    = ARGV[2] -- the one that was read; 0 for none
    local json       = ARGV[3]
    local trustStatus   = ARGV[4] -- [2 bytes]
    local disputedAt = ARGV[5] -- [epoch ms], or nothing
    local heldAt     = ARGV[6] -- [epoch ms], or nothing
    local dueMs      = ARGV[7] -- [epoch ms] when its pause ends, or nothing
    local invalidated     = ARGV[8] -- sorted set: what must not be handed in again; or nothing
    local atMs       = ARGV[9] -- [epoch ms]
    local untilMs    = ARGV[10] -- [epoch ms] for which it is in there, or nothing to take it out
    local assisted     = ARGV[11] -- hash: the case that an organisation acts for, as long as it has not handed it over; or nothing
    -- ARGV[12…]     [16 bytes] keyed digests of it; keys in ARGV carry the same hash tag as the declared ones
    -- returns [integer] the revision that has it, 0 when no index needs to know; -1 when another was faster; -2 after a handover; nil
    -- without the image
    if assisted ~= '' and isHandedOver(assisted, 'organisation') then return -2 end
    if redis.call('HEXISTS', images, id) == 0 then return nil end
    local stored = redis.call('HGET', trust, id)
    local current = stored and string.match(stored, '^%d+') or '0'
    if current ~= version then return -1 end
    redis.call('HSET', trust, id, string.format('%d:', tonumber(version) + 1) .. json)
    if disputedAt == '' then
      redis.call('ZREM', disputes, id)
    elseif redis.call('ZADD', disputes, disputedAt, id) == 1 then
      local tag = string.match(disputes, '^(.*)disputes$')
      outbox(tag, 'kind', 'signal.disputed', 'image', id, 'parties', partiesOf(tag, hexOf(id)), 'atMs', disputedAt)
    end
    if invalidated ~= '' then refuse(invalidated, atMs, untilMs, { unpack(ARGV, 12) }) end
    if heldAt == '' then redis.call('ZREM', quarantine, id) else redis.call('ZADD', quarantine, heldAt, id) end
    if dueMs == '' then redis.call('ZREM', holdSchedule, id) else redis.call('ZADD', holdSchedule, dueMs, id) end
    if redis.call('HGET', trustStatuses, id) == trustStatus then return 0 end
    redis.call('HSET', trustStatuses, id, trustStatus)
    local at = announce(revision, changes, 'image', id, 'trustStatus')
    tell_later(changes, at, 's', { id })
    return at`,
} as const

/**
 * For scripts that erase images: forgets what was said about one, how often it was seen, and its clocks. Whoever was told of it in a match
 * will be told that it is gone. The keys carry the same hash tag as the declared ones.
 */
export const forgetTrustLua = `${outboxLua}${pseudonymsLua}${forgetDeadlinesLua}
    local function forget_trust (tag, id)
      redis.call('HDEL', tag .. 'trust:' .. id:byte(16), id)
      redis.call('HDEL', tag .. 'trust-statuses:' .. id:byte(16), id)
      redis.call('ZREM', tag .. 'disputes', id)
      redis.call('ZREM', tag .. 'quarantine', id)
      redis.call('ZREM', tag .. 'hold-schedule', id)
      redis.call('ZREM', tag .. 'appeals', 's' .. id)
      redis.call('ZREM', tag .. 'denied-appeals', 's' .. id)
      local hex = hexOf(id)
      local parties = partiesOf(tag, hex)
      if parties ~= '' then outbox(tag, 'kind', 'signal.withdrawn', 'image', id, 'parties', parties) end
      redis.call('DEL', tag .. 'match-events:' .. hex, tag .. 'told:' .. hex, tag .. 'looks:' .. hex, tag .. 'looks-before:' .. hex)
      redis.call('SREM', tag .. 'noticed', id)
      forget_deadlines(tag, hex)
    end`

/**
 * `harmless_since(tag, id)`: when [epoch ms] an image was judged harmless, or nil. To be asked before `forget_trust`. The flag is
 * `HARMLESS` of src/store/trust/trust.ts.
 */
export const harmlessSinceLua = `
    local function harmless_since (tag, id)
      local trustStatus = redis.call('HGET', tag .. 'trust-statuses:' .. id:byte(16), id)
      if not trustStatus or math.floor(trustStatus:byte(1) / 4) % 2 == 0 then return nil end
      local said = redis.call('HGET', tag .. 'trust:' .. id:byte(16), id)
      return said and tonumber(cjson.decode(string.match(said, '^%d+:(.*)$')).decidedAtMs)
    end`
