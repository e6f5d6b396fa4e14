// Which hashes keys fetched that can be told of a withdrawal by the hash alone, and the hashes of those that were withdrawn since.

import { hexLua } from '../cases/image-deadlines.js'
import { IMAGE_SHARDS } from '../shards.js'

/** A key that does not come for so long is told no more. */
export const WITHDRAWN_KEPT_MS = 30 * 86_400_000
/** Of one image that are told: as many as its number [1 byte] counts. */
export const MAX_HASHES_OF_IMAGE = 256

const shardLua = `
    local function fetched_shard (id) return (id:byte(15) * 256 + id:byte(16)) % ${IMAGE_SHARDS} end`

/**
 * Lua: `withdraw_fetched(prefix, id)`, for scripts that erase images: each hash that keys fetched is kept for those of them that are still there, until they were
 * told. Of an image that nobody fetched nothing is kept. The keys carry the same hash tag as the declared ones.
 */
export const withdrawFetchedLua = `${hexLua}${shardLua}
    local function keep_withdrawn (prefix, name, sealed, keyIds)
      local hex = hexOf(name)
      for keyId in string.gmatch(keyIds, '%S+') do
        if redis.call('HEXISTS', prefix .. 'api-keys', keyId) == 1 then
          local time = redis.call('TIME')
          local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
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
    end
    local function withdraw_fetched (prefix, id)
      local hashes = prefix .. 'fetched:' .. fetched_shard(id)
      local by = prefix .. 'fetched-by:' .. fetched_shard(id)
      for number = 0, ${MAX_HASHES_OF_IMAGE - 1} do
        local name = id .. string.char(number)
        local keyIds = redis.call('HGET', by, name)
        if not keyIds then return end
        keep_withdrawn(prefix, name, redis.call('HGET', hashes, name), keyIds)
        redis.call('HDEL', hashes, name)
        redis.call('HDEL', by, name)
      end
    end`

// Reads which hashes of images were fetched, and by which keys.
export const readFetched = {
  numberOfKeys: 'some',
  lua: `
    -- KEYS[2i - 1]  hash: the shard of image i with its hashes
    -- KEYS[2i]      hash: the shard with ids of the keys that fetched them
    -- ARGV[i]       [16 bytes] id of image i
    -- returns for each, by their numbers, {sealed hash, ids of keys, …}
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

// Notes what a key fetches, as long as it is there: so whatever is erased later is known to have been fetched.
export const noteFetched = {
  numberOfKeys: 1,
  lua: `${shardLua}
    local apiKeys = KEYS[1] -- hash: key id -> JSON
    local prefix  = ARGV[1] -- of all keys
    local keyId   = ARGV[2]
    -- ARGV[3i + 3]  [16 bytes] id of the image of hash i
    -- ARGV[3i + 4]  [1 byte] its number
    -- ARGV[3i + 5]  the hash, sealed; empty where it is known under this number
    -- returns for each 1; 0 when there is no such image any more; -1 when its numbers are other ones by now, and it is to be read again
    local noted = {}
    for i = 3, #ARGV, 3 do
      local id, name, sealed = ARGV[i], ARGV[i] .. ARGV[i + 1], ARGV[i + 2]
      local hashes = prefix .. 'fetched:' .. fetched_shard(id)
      local by = prefix .. 'fetched-by:' .. fetched_shard(id)
      local keyIds = redis.call('HGET', by, name)
      local isThere = redis.call('HEXISTS', prefix .. 'images:' .. fetched_shard(id), id) == 1
      if not isThere or redis.call('HEXISTS', apiKeys, keyId) == 0 then
        noted[#noted + 1] = 0
      elseif (keyIds == false) ~= (sealed ~= '') then
        noted[#noted + 1] = -1
      else
        if sealed ~= '' then redis.call('HSET', hashes, name, sealed) end
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

// Forgets what a key was told of, and the hash with it once it was the last. Running it twice changes nothing.
export const settleWithdrawn = {
  numberOfKeys: 2,
  lua: `${hexLua}
    local waiting = KEYS[1] -- sorted set: what the key has to be told of, by place
    local erased  = KEYS[2] -- [integer] erased since the log was last written anew
    local prefix  = ARGV[1] -- of all keys
    local keyId   = ARGV[2]
    local upTo    = ARGV[3] -- [integer] place, or +inf
    local most    = ARGV[4] -- [integer] at once
    -- returns [integer] how many it was
    local names = redis.call('ZRANGEBYSCORE', waiting, '-inf', upTo, 'LIMIT', 0, most)
    local gone = 0
    for _, name in ipairs(names) do
      local hex = hexOf(name)
      redis.call('ZREM', waiting, name)
      redis.call('SREM', prefix .. 'withdrawn-keys:' .. hex, keyId)
      if redis.call('EXISTS', prefix .. 'withdrawn-keys:' .. hex) == 0 then
        gone = gone + redis.call('DEL', prefix .. 'withdrawn-hash:' .. hex)
      end
    end
    if gone > 0 then redis.call('INCRBY', erased, gone) end
    return #names`,
} as const
