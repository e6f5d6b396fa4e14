import { announceLua } from '../announce.js'

/**
 * Lua: `isBank(bank, createdAtMs, id)` returns whether a decoded bank is the intended one: its name may belong to another bank by now. Banks that
 * an older version created have no id.
 */
export const bankLua = `
    local function isBank (bank, createdAtMs, id)
      return bank.createdAtMs == tonumber(createdAtMs) and (bank.id or '') == id
    end`

// Creates a bank. Its name is its label, unless a bank that the owner may not know of has that name: then its name is the exact name, and the
// answer does not show the difference. A label of a bank that the owner may know of is taken: no bank may pass for another's.
export const addBank = {
  numberOfKeys: 3,
  lua: `${announceLua}
    local banks    = KEYS[1] -- hash: name -> JSON
    local revision = KEYS[2]
    local changes  = KEYS[3]
    local label    = ARGV[1]
    local exact    = ARGV[2] -- the exact name
    local org      = ARGV[3] -- [organisation id] of the owner
    local seesAll  = ARGV[4] -- 1: the creator is an operator, who may know of every bank
    local json     = ARGV[5]
    local most     = tonumber(ARGV[6]) -- [integer] banks that an owner may have who is no operator
    -- returns {[integer] the revision that has it, its name}, nil when the label is taken, or -1 when the owner has as many as it may
    local name = label
    for _, other in ipairs(redis.call('HKEYS', banks)) do
      if other == label or string.sub(other, 1, #label + 1) == label .. '~' then
        local bank = cjson.decode(redis.call('HGET', banks, other))
        local isKnown = not bank.readers or bank.readers[org] ~= nil
        if seesAll == '1' or bank.orgId == org or isKnown then return nil end
        if other == label then name = exact end
      end
    end
    if redis.call('HEXISTS', banks, name) == 1 then return nil end
    local owned = 0
    for _, other in ipairs(seesAll == '1' and {} or redis.call('HVALS', banks)) do
      local bank = cjson.decode(other)
      if bank.orgId == org and not bank.removedAtMs then owned = owned + 1 end
    end
    if owned >= most then return -1 end
    redis.call('HSET', banks, name, json)
    return { announce(revision, changes, 'bank', name), name }`,
} as const

// Deletes a bank that is marked as removed, and the progress of its imports, unless the name belongs to another bank by now. Idempotent.
export const forgetBank = {
  numberOfKeys: 4,
  lua: `${announceLua}${bankLua}
    local banks       = KEYS[1] -- hash: name -> JSON
    local imports     = KEYS[2] -- sorted set: ids of the bank's imports
    local revision    = KEYS[3]
    local changes     = KEYS[4]
    local name        = ARGV[1]
    local createdAtMs = ARGV[2] -- [epoch ms]
    local id          = ARGV[3] -- of the bank, or empty
    local stem        = ARGV[4] -- prefix of the key of each import; it has the same hash tag
    -- returns [integer] the revision, or nil when there was nothing to delete
    local json = redis.call('HGET', banks, name)
    local bank = json and cjson.decode(json)
    if not bank or not bank.removedAtMs or not isBank(bank, createdAtMs, id) then return nil end
    for _, import in ipairs(redis.call('ZRANGE', imports, 0, -1)) do redis.call('DEL', stem .. import, stem .. import .. ':rejected') end
    redis.call('DEL', imports)
    redis.call('HDEL', banks, name)
    return announce(revision, changes, 'bank', name)`,
} as const
