import { DETAIL_SHARDS } from '../shards.js'

/**
 * Lua. `put_details(prefix, id, sealed)` stores the details of an image, or deletes them when `sealed` is empty; `forget_details(prefix, id)`
 * deletes them. The key of the shard is computed, because few images have details. It has the same hash tag as the declared keys.
 */
export const imageDetailsLua = `
    local function details_of (prefix, id)
      return prefix .. 'details:' .. (id:byte(15) * 256 + id:byte(16)) % ${DETAIL_SHARDS}
    end
    local function forget_details (prefix, id) redis.call('HDEL', details_of(prefix, id), id) end
    local function put_details (prefix, id, sealed)
      if sealed == '' then forget_details(prefix, id) else redis.call('HSET', details_of(prefix, id), id, sealed) end
    end`
