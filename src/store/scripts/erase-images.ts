import { announceLua } from './announce.js'
import { forgetTrustLua } from './put-trust.js'

// Erases one image's bits and tells every index. Running it twice changes nothing.
export const eraseImage = {
  numberOfKeys: 3,
  lua: `${announceLua}${forgetTrustLua}
    local shard    = KEYS[1] -- hash: the shard of the image
    local revision = KEYS[2]
    local changes  = KEYS[3]
    local id       = ARGV[1] -- [16 bytes]
    local prefix   = ARGV[2] -- of all keys
    -- returns [integer] the revision of the tombstone, or nil when there was nothing left to erase
    if redis.call('HDEL', shard, id) == 0 then return nil end
    forget_trust(prefix, id)
    return announce(revision, changes, 'tombstone', id)`,
} as const

// Withdraws a case in one step: no image can be added after it, the bits of all are erased, every index is told.
// Running it twice gives the first answer again. The shards' keys are computed here, since only here the list is final;
// they carry the same hash tag as the declared keys.
export const withdrawCase = {
  numberOfKeys: 4,
  lua: `${announceLua}${forgetTrustLua}
    local case     = KEYS[1] -- hash: the case
    local images   = KEYS[2] -- set: its image ids
    local revision = KEYS[3]
    local changes  = KEYS[4]
    local atMs     = ARGV[1] -- [epoch ms], the caller's clock
    local prefix   = ARGV[2] -- of all keys
    local shards   = tonumber(ARGV[3])
    -- returns {[epoch ms] when, [integer] images erased, [integer] revision of the tombstones or 0}, or nil without a case
    local state = redis.call('HGET', case, 'state')
    if not state then return nil end
    if state ~= 'open' and state ~= 'active' then
      return { redis.call('HGET', case, 'withdrawnAtMs') or '0', tonumber(redis.call('HGET', case, 'withdrawnImages') or '0'), 0 }
    end
    local ids = redis.call('SMEMBERS', images)
    for _, id in ipairs(ids) do
      local shard = (id:byte(15) * 256 + id:byte(16)) % shards
      redis.call('HDEL', prefix .. 'images:' .. shard, id)
      forget_trust(prefix, id)
    end
    redis.call('DEL', images)
    redis.call('HSET', case, 'state', 'withdrawn', 'withdrawnAtMs', atMs, 'withdrawnImages', #ids)
    local at = 0
    if #ids > 0 then at = announce(revision, changes, 'tombstone', table.concat(ids)) end
    return { atMs, #ids, at }`,
} as const
