import { DETAIL_SHARDS } from '../shards.js'

/**
 * Lua: `put_details(prefix, id, sealed)`, where an empty text means none, and `forget_details(prefix, id)`. The shard's key is computed,
 * since few images have details; it carries the same hash tag as the declared keys.
 */
export const imageDetailsLua = `
    local function details_of (prefix, id)
      return prefix .. 'details:' .. (id:byte(15) * 256 + id:byte(16)) % ${DETAIL_SHARDS}
    end
    local function forget_details (prefix, id) redis.call('HDEL', details_of(prefix, id), id) end
    local function put_details (prefix, id, sealed)
      if sealed == '' then forget_details(prefix, id) else redis.call('HSET', details_of(prefix, id), id, sealed) end
    end`
