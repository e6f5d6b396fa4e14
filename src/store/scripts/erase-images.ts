import { announceLua } from './announce.js'
import { imageDetailsLua } from './image-details.js'
import { forgetTrustLua } from './put-trust.js'

// Erases one image's bits and tells every index. Running it twice changes nothing.
export const eraseImage = {
  numberOfKeys: 3,
  lua: `${announceLua}${forgetTrustLua}${imageDetailsLua}
    local shard    = KEYS[1] -- hash: the shard of the image
    local revision = KEYS[2]
    local changes  = KEYS[3]
    local id       = ARGV[1] -- [16 bytes]
    local prefix   = ARGV[2] -- of all keys
    -- returns [integer] the revision of the tombstone, or nil when there was nothing left to erase
    if redis.call('HDEL', shard, id) == 0 then return nil end
    forget_trust(prefix, id)
    forget_details(prefix, id)
    return announce(revision, changes, 'tombstone', id)`,
} as const
