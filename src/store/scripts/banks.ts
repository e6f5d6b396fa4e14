import { announceLua } from './announce.js'

/**
 * Lua: `isBank(json, createdAtMs, id)`, whether this is the bank that was meant. A name may be another bank's by now; a bank that an older
 * version made has no id.
 */
export const bankLua = `
    local function isBank (bank, createdAtMs, id)
      return bank.createdAtMs == tonumber(createdAtMs) and (bank.id or '') == id
    end`

// Forgets a bank that was removed, and how far files have come into it, if the name is still that bank's. Running it twice changes nothing.
export const forgetBank = {
  numberOfKeys: 4,
  lua: `${announceLua}${bankLua}
    local banks       = KEYS[1] -- hash: name -> JSON
    local imports     = KEYS[2] -- sorted set: those of the bank
    local revision    = KEYS[3]
    local changes     = KEYS[4]
    local name        = ARGV[1]
    local createdAtMs = ARGV[2] -- [epoch ms]
    local id          = ARGV[3] -- of the bank, or empty
    local stem        = ARGV[4] -- of the key of each import, before its id; it carries the same hash tag
    -- returns [integer] the revision, or nil when there was nothing to forget
    local json = redis.call('HGET', banks, name)
    local bank = json and cjson.decode(json)
    if not bank or not bank.removedAtMs or not isBank(bank, createdAtMs, id) then return nil end
    for _, import in ipairs(redis.call('ZRANGE', imports, 0, -1)) do redis.call('DEL', stem .. import, stem .. import .. ':refused') end
    redis.call('DEL', imports)
    redis.call('HDEL', banks, name)
    return announce(revision, changes, 'bank', name)`,
} as const
