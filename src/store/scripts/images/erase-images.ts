import { announceLua } from '../announce.js'
import { bankLua } from '../organisations/banks.js'
import { feedLaterLua } from '../organisations/feed-batches.js'
import { forgetTrustLua } from '../trust/put-trust.js'
import { withdrawFetchedLua } from './fetched.js'
import { imageDetailsLua } from './image-details.js'

// Erases one image's hashes and announces it to every replica. Idempotent. The ids of a bank's signals derive from the bank's name, so a later
// bank of the same name has the same ids: with a bank given, nothing is erased once the name belongs to another bank.
export const eraseImage = {
  numberOfKeys: 4,
  lua: `${announceLua}${forgetTrustLua}${imageDetailsLua}${bankLua}${feedLaterLua}${withdrawFetchedLua}
    local shard       = KEYS[1] -- hash: the shard of the image
    local revision    = KEYS[2]
    local changes     = KEYS[3]
    local banks       = KEYS[4] -- hash: name -> JSON
    local id          = ARGV[1] -- [16 bytes]
    local prefix      = ARGV[2] -- of all keys
    local name        = ARGV[3] -- of the bank that the image has to belong to, or empty
    local createdAtMs = ARGV[4] -- [epoch ms] of that bank
    local bankId      = ARGV[5] -- of that bank, or empty
    -- returns [integer] the revision of the tombstone, or nil when there was nothing left to erase
    local json = name ~= '' and redis.call('HGET', banks, name)
    if json and not isBank(cjson.decode(json), createdAtMs, bankId) then return nil end
    if redis.call('HDEL', shard, id) == 0 then return nil end
    forget_trust(prefix, id)
    forget_details(prefix, id)
    cancel_feed(prefix, id)
    withdraw_fetched(prefix, id)
    redis.call('INCR', prefix .. 'erased')
    return announce(revision, changes, 'tombstone', id)`,
} as const
