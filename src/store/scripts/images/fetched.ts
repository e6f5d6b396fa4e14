// Some feed protocols report a withdrawal by its hash alone. This is the record of which API keys fetched which hashes, and of the fetched hashes
// that were withdrawn since.

import { hexLua } from '../cases/image-deadlines.js'
import { IMAGE_SHARDS } from '../shards.js'
import { storeTimeLua } from '../store-time.js'

/** How long a withdrawal is kept for a key that does not fetch. */
export const WITHDRAWN_KEPT_MS = 30 * 86_400_000
/** Hashes of one image that can be noted at a time. Their number is one byte; another hash gets it once the image has its hash no more. */
export const MAX_HASHES_OF_IMAGE = 256

const shardLua = `
    local function fetched_shard (id) return (id:byte(15) * 256 + id:byte(16)) % ${IMAGE_SHARDS} end`

/** Lua: `keep_withdrawn(prefix, name, sealed, keyIds)` keeps a hash for those of the keys that exist, until each was told that it is withdrawn. */
const keepWithdrawnLua = `${storeTimeLua}
    local function keep_withdrawn (prefix, name, sealed, keyIds)
      local hex = hexOf(name)
      for keyId in string.gmatch(keyIds, '%S+') do
        if redis.call('HEXISTS', prefix .. 'api-keys', keyId) == 1 then
          local nowMs = store_ms()
          local place = math.max(nowMs, tonumber(redis.call('GET', prefix .. 'withdrawn-last') or '0') + 1)
          redis.call('SET', prefix .. 'withdrawn-last', string.format('%d', place))
          local waiting = prefix .. 'withdrawn-for:' .. keyId
          redis.call('ZREMRANGEBYSCORE', waiting, '-inf', string.format('%d', nowMs - ${WITHDRAWN_KEPT_MS}))
          redis.call('ZADD', waiting, string.format('%d', place), name)
          redis.call('PEXPIRE', waiting, ${WITHDRAWN_KEPT_MS})
          redis.call('SADD', prefix .. 'withdrawn-keys:' .. hex, keyId)
          redis.call('PEXPIRE', prefix .. 'withdrawn-keys:' .. hex, ${WITHDRAWN_KEPT_MS})
          redis.call('SET', prefix .. 'withdrawn-hash:' .. hex, sealed, 'PX', ${WITHDRAWN_KEPT_MS})
        end
      end
    end`

/**
 * Lua: `withdraw_fetched(prefix, id)`, for scripts that erase images. Keeps each fetched hash of the image for the API keys that fetched it, until
 * each was told of the withdrawal. Nothing is kept of an image that no key fetched, or for a revoked key. The keys in Redis have the same
 * hash tag as the declared ones.
 */
export const withdrawFetchedLua = `${hexLua}${shardLua}${keepWithdrawnLua}
    local function withdraw_fetched (prefix, id)
      local hashes = prefix .. 'fetched:' .. fetched_shard(id)
      local by = prefix .. 'fetched-by:' .. fetched_shard(id)
      for number = 0, ${MAX_HASHES_OF_IMAGE - 1} do
        local name = id .. string.char(number)
        local keyIds = redis.call('HGET', by, name)
        if not keyIds then return end
        local sealed = redis.call('HGET', hashes, name)
        if sealed then keep_withdrawn(prefix, name, sealed, keyIds) end
        redis.call('HDEL', hashes, name)
        redis.call('HDEL', by, name)
      end
    end`

// Reads which hashes of images were fetched, and by which keys.
export const readFetched = {
  numberOfKeys: 'some',
  lua: `
    -- KEYS[2i - 1]  hash: the shard with the hashes of image i
    -- KEYS[2i]      hash: the shard with the ids of the keys that fetched them
    -- ARGV[i]       [16 bytes] id of image i
    -- returns for each image, in the order of the numbers of its hashes, {sealed hash, ids of keys, …}
    local found = {}
    for i, id in ipairs(ARGV) do
      found[i] = {}
      for number = 0, ${MAX_HASHES_OF_IMAGE - 1} do
        local name = id .. string.char(number)
        local keyIds = redis.call('HGET', KEYS[2 * i], name)
        if not keyIds then break end
        table.insert(found[i], redis.call('HGET', KEYS[2 * i - 1], name))
        table.insert(found[i], keyIds)
      end
    end
    return found`,
} as const

// Records what an API key is about to fetch, so that a later erasure finds it. What the number of a hash meant before gets a name of its own: the former
// hash of the image is withdrawn, and a hash of an erased image of the same id may not be told yet.
export const noteFetched = {
  numberOfKeys: 1,
  lua: `${hexLua}${shardLua}${keepWithdrawnLua}
    local apiKeys = KEYS[1] -- hash: key id -> JSON
    local prefix  = ARGV[1] -- of all keys
    local keyId   = ARGV[2]
    -- ARGV[6i + 3]  [16 bytes] id of the image of hash i
    -- ARGV[6i + 4]  [1 byte] number of the hash
    -- ARGV[6i + 5]  what is stored under this number, sealed; empty for nothing
    -- ARGV[6i + 6]  the hash, sealed; empty when it is what is stored
    -- ARGV[6i + 7]  the name of its own for what the number meant before; empty when it meant nothing
    -- ARGV[6i + 8]  that hash, sealed for that name
    -- returns for each 1; 0 when the image or the key no longer exists; -1 when the stored hashes changed and the caller has to read again
    local function rename_withdrawn (name, formerName, former)
      local before, after = hexOf(name), hexOf(formerName)
      for _, waitingId in ipairs(redis.call('SMEMBERS', prefix .. 'withdrawn-keys:' .. before)) do
        local waiting = prefix .. 'withdrawn-for:' .. waitingId
        local place = redis.call('ZSCORE', waiting, name)
        if place then
          redis.call('ZREM', waiting, name)
          redis.call('ZADD', waiting, place, formerName)
        end
      end
      local leftMs = math.max(1, redis.call('PTTL', prefix .. 'withdrawn-hash:' .. before))
      redis.call('SET', prefix .. 'withdrawn-hash:' .. after, former, 'PX', leftMs)
      redis.call('DEL', prefix .. 'withdrawn-hash:' .. before)
      if redis.call('EXISTS', prefix .. 'withdrawn-keys:' .. before) == 1 then
        redis.call('RENAME', prefix .. 'withdrawn-keys:' .. before, prefix .. 'withdrawn-keys:' .. after)
      end
    end
    local noted = {}
    for i = 3, #ARGV, 6 do
      local id, name, stored, sealed = ARGV[i], ARGV[i] .. ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
      local formerName, former = ARGV[i + 4], ARGV[i + 5]
      local hashes = prefix .. 'fetched:' .. fetched_shard(id)
      local by = prefix .. 'fetched-by:' .. fetched_shard(id)
      local isThere = redis.call('HEXISTS', prefix .. 'images:' .. fetched_shard(id), id) == 1
      local keyIds = redis.call('HGET', by, name)
      local waits = not keyIds and redis.call('EXISTS', prefix .. 'withdrawn-hash:' .. hexOf(name)) == 1
      if not isThere or redis.call('HEXISTS', apiKeys, keyId) == 0 then
        noted[#noted + 1] = 0
      elseif (redis.call('HGET', hashes, name) or '') ~= stored or (waits and formerName == '') then
        noted[#noted + 1] = -1
      else
        if waits then
          rename_withdrawn(name, formerName, former)
        elseif keyIds and formerName ~= '' then
          keep_withdrawn(prefix, formerName, former, keyIds)
        end
        if sealed ~= '' then
          redis.call('HSET', hashes, name, sealed)
          keyIds = false
        end
        if not keyIds then
          redis.call('HSET', by, name, keyId)
        elseif not string.find(keyIds, keyId, 1, true) then
          redis.call('HSET', by, name, keyIds .. ' ' .. keyId)
        end
        noted[#noted + 1] = 1
      end
    end
    return noted`,
} as const

// Deletes withdrawals that an API key was told of, and each hash with the last key that had to be told. Idempotent.
export const settleWithdrawn = {
  numberOfKeys: 2,
  lua: `${hexLua}
    local waiting = KEYS[1] -- sorted set: image id and number of the hash, by the position of the withdrawal
    local erased  = KEYS[2] -- [integer] erasures since Redis last rewrote its append-only file
    local prefix  = ARGV[1] -- of all keys
    local keyId   = ARGV[2]
    local upTo    = ARGV[3] -- [integer] last position that was told, or +inf
    local most    = ARGV[4] -- [integer] most deletions in one call
    -- returns [integer] how many were deleted
    local names = redis.call('ZRANGEBYSCORE', waiting, '-inf', upTo, 'LIMIT', 0, most)
    local erasedHashes = 0
    for _, name in ipairs(names) do
      local hex = hexOf(name)
      redis.call('ZREM', waiting, name)
      redis.call('SREM', prefix .. 'withdrawn-keys:' .. hex, keyId)
      if redis.call('EXISTS', prefix .. 'withdrawn-keys:' .. hex) == 0 then
        erasedHashes = erasedHashes + redis.call('DEL', prefix .. 'withdrawn-hash:' .. hex)
      end
    end
    if erasedHashes > 0 then redis.call('INCRBY', erased, erasedHashes) end
    return #names`,
} as const
