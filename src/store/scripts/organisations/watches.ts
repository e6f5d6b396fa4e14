import { announceLua } from '../announce.js'
import { outboxLua } from './outbox.js'

/** Lua: `forget_watch_told(tag, hex)`, for scripts that erase images: if one is registered again, watching organisations are told again. */
export const forgetWatchToldLua = `
    local function forget_watch_told (tag, hex)
      for _, orgId in ipairs(redis.call('SMEMBERS', tag .. 'watch-told-orgs:' .. hex)) do
        redis.call('DEL', tag .. 'watch-told:' .. orgId .. ':' .. hex)
      end
      redis.call('DEL', tag .. 'watch-told-orgs:' .. hex)
    end`

// Stores watches of an organisation, all or none, and announces them to every replica.
export const putWatches = {
  numberOfKeys: 'some',
  lua: `${announceLua}
    local ofOrg    = KEYS[1] -- sorted set: watch ids [16 bytes] of the organisation, by when [epoch ms] they end
    local schedule = KEYS[2] -- sorted set: watch id and organisation [16 bytes each], by when [epoch ms] the watch ends
    local orgs     = KEYS[3] -- set: organisations that have watches
    local revision = KEYS[4]
    local changes  = KEYS[5]
    local more     = KEYS[6] -- hash: of watches that count as several, id [16 bytes] to how many more; 'all': their sum
    -- KEYS[7 + i]    hash: the shard of watch i
    local orgId    = ARGV[1]
    local org      = ARGV[2] -- [16 bytes]
    local most     = tonumber(ARGV[3]) -- watches of one organisation
    local untilMs  = ARGV[4] -- [epoch ms]
    -- ARGV[3i + 5]   [16 bytes] id of watch i
    -- ARGV[3i + 6]   its sealed record
    -- ARGV[3i + 7]   as how many watches it counts
    -- returns [integer] the revision that has them, or nil when there would be too many
    local count = redis.call('ZCARD', ofOrg) + tonumber(redis.call('HGET', more, 'all') or '0')
    for i = 0, #KEYS - 7 do count = count + tonumber(ARGV[3 * i + 7]) end
    if count > most then return nil end
    local ids = {}
    for i = 0, #KEYS - 7 do
      local id = ARGV[3 * i + 5]
      local further = tonumber(ARGV[3 * i + 7]) - 1
      ids[#ids + 1] = id
      redis.call('HSET', KEYS[7 + i], id, ARGV[3 * i + 6])
      if further > 0 then
        redis.call('HSET', more, id, further)
        redis.call('HINCRBY', more, 'all', further)
      end
      redis.call('ZADD', ofOrg, untilMs, id)
      redis.call('ZADD', schedule, untilMs, id .. org)
    end
    redis.call('SADD', orgs, orgId)
    return announce(revision, changes, 'image', table.concat(ids))`,
} as const

// Erases watches of an organisation and announces it to every replica. Idempotent. The keys of the shards are computed here; they have the same hash
// tag as the declared keys.
export const eraseWatches = {
  numberOfKeys: 7,
  lua: `${announceLua}
    local ofOrg    = KEYS[1] -- sorted set: watch ids
    local schedule = KEYS[2] -- sorted set: watch id and organisation
    local orgs     = KEYS[3] -- set: organisations that have watches
    local revision = KEYS[4]
    local changes  = KEYS[5]
    local more     = KEYS[6] -- hash: of watches that count as several, id [16 bytes] to how many more; 'all': their sum
    local erased   = KEYS[7] -- [integer] erasures since Redis last rewrote its append-only file
    local orgId    = ARGV[1]
    local org      = ARGV[2] -- [16 bytes]
    local prefix   = ARGV[3] -- of all keys
    local shards   = tonumber(ARGV[4])
    -- ARGV[5…] watch ids [16 bytes]
    -- returns [integer] the revision of the tombstones, or nil when there was nothing to erase
    local erasedIds = {}
    for i = 5, #ARGV do
      local id = ARGV[i]
      if redis.call('ZREM', ofOrg, id) == 1 then
        redis.call('HDEL', prefix .. 'watches:' .. (id:byte(15) * 256 + id:byte(16)) % shards, id)
        redis.call('ZREM', schedule, id .. org)
        local further = redis.call('HGET', more, id)
        if further then
          redis.call('HDEL', more, id)
          redis.call('HINCRBY', more, 'all', -further)
        end
        erasedIds[#erasedIds + 1] = id
      end
    end
    if redis.call('ZCARD', ofOrg) == 0 then
      redis.call('SREM', orgs, orgId)
      redis.call('DEL', more)
    end
    if #erasedIds == 0 then return nil end
    redis.call('INCRBY', erased, #erasedIds)
    return announce(revision, changes, 'tombstone', table.concat(erasedIds))`,
} as const

// After Redis rewrote its append-only file: watches that were erased before the rewrite began are in no line of it. Later ones may still be.
export const settleErasedWatches = {
  numberOfKeys: 1,
  lua: `
    local erased = KEYS[1] -- [integer] erasures since Redis last rewrote its append-only file
    local before = tonumber(ARGV[1]) -- the count when the rewrite began
    -- returns 1
    if tonumber(redis.call('GET', erased) or '0') <= before then redis.call('DEL', erased)
    else redis.call('DECRBY', erased, before) end
    return 1`,
} as const

// Tells an organisation that a picture it watches for was registered, if the watch and the image exist at the moment of the write. It is told once
// for each registration of a picture, whichever of its watches found it: `forget_watch_told` forgets it when the image is erased.
export const noteFound = {
  numberOfKeys: 5,
  lua: `${outboxLua}
    local watches = KEYS[1] -- hash: the shard of the watch
    local schedule = KEYS[2] -- sorted set: watch id and organisation, by when [epoch ms] the watch ends
    local images  = KEYS[3] -- hash: the shard of the image
    local told    = KEYS[4] -- string: set once the organisation was told of this image
    local toldOrgs = KEYS[5] -- set: organisations that were told of this image
    local watch   = ARGV[1] -- [16 bytes]
    local image   = ARGV[2] -- [16 bytes]
    local orgId   = ARGV[3]
    local org     = ARGV[4] -- [16 bytes]
    local grade   = ARGV[5]
    local atMs    = ARGV[6] -- [epoch ms]
    local prefix  = ARGV[7]
    -- returns 1, or 0 when it was already told or there is nothing to tell any more
    if redis.call('HEXISTS', watches, watch) == 0 or redis.call('HEXISTS', images, image) == 0 then return 0 end
    local untilMs = redis.call('ZSCORE', schedule, watch .. org)
    if not untilMs or tonumber(untilMs) <= tonumber(atMs) then return 0 end
    if not redis.call('SET', told, 1, 'NX', 'PXAT', untilMs) then return 0 end
    redis.call('SADD', toldOrgs, orgId)
    if redis.call('PTTL', toldOrgs) < redis.call('PTTL', told) then redis.call('PEXPIREAT', toldOrgs, untilMs) end
    outbox(prefix, 'kind', 'match.found', 'watch', watch, 'image', image, 'org', orgId, 'grade', grade, 'atMs', atMs)
    return 1`,
} as const

// Saves how far registrations were compared, for the process that compares them.
export const advanceWatching = {
  numberOfKeys: 2,
  lua: `
    local holder = KEYS[1] -- string: token of the process that compares
    local cursor = KEYS[2] -- string: revision:digest
    local token  = ARGV[1]
    local to     = ARGV[2]
    -- returns 1, or 0 when another process compares
    if redis.call('GET', holder) ~= token then return 0 end
    redis.call('SET', cursor, to)
    return 1`,
} as const
