import { CASE_ACTIONS, type CaseAction } from '../../../domain/cases/case.js'
import { announceLua } from '../announce.js'
import { withdrawFetchedLua } from '../images/fetched.js'
import { imageDetailsLua } from '../images/image-details.js'
import { feedLaterLua } from '../organisations/feed-batches.js'
import { forgetTrustLua, harmlessSinceLua } from '../trust/put-trust.js'
import { assistedLua } from './assisted.js'
import { caseEventLua } from './case-event.js'
import { handedOverLua } from './handed-over.js'

/**
 * Lua. `mayNow(case, states, atMs)` returns the state of a case, or nil without one, and whether that state is among `states`.
 * `among(states, state)`: `states` is a text as `statesFor` builds it.
 */
export const caseStateLua = `
    local living = ' ${CASE_ACTIONS.expire.from.join(' ')} '
    local function among (states, state) return string.find(states, ' ' .. state .. ' ', 1, true) ~= nil end
    -- A case past its expiry counts as expired, also before it is erased.
    local function isOverdue (case, state, atMs)
      return among(living, state) and tonumber(redis.call('HGET', case, 'expiresAtMs')) <= tonumber(atMs)
    end
    -- When the next step of a living case is due: its expiry, or its end if that was wished before.
    local function nextStep (case)
      local expires, wished = unpack(redis.call('HMGET', case, 'expiresAtMs', 'endWishAtMs'))
      return wished and tonumber(wished) < tonumber(expires) and wished or expires
    end
    local function mayNow (case, states, atMs)
      local state = redis.call('HGET', case, 'state')
      if not state then return nil, false end
      if isOverdue(case, state, atMs) then return 'expired', false end
      return state, among(states, state)
    end`

/** The states in which an action is allowed, as a text that the Lua function `among` searches. */
export function statesFor(action: CaseAction): string {
  return ` ${CASE_ACTIONS[action].from.join(' ')} `
}

// Opens a case unless its id is taken.
export const openCase = {
  numberOfKeys: 3,
  lua: `${caseEventLua}${assistedLua}
    local case   = KEYS[1] -- hash: the case
    local events = KEYS[2] -- stream: its time line
    local schedule = KEYS[3] -- sorted set: case ids, by when [epoch ms] the next step of each is due: expiry, then deletion
    local caseId = ARGV[1]
    local atMs   = ARGV[2] -- [epoch ms]
    local dueMs  = ARGV[3] -- [epoch ms] when it expires
    -- ARGV[4…]: field, value, field, value, …
    -- returns 1, or 0 when there is already a case of this id
    if redis.call('EXISTS', case) == 1 then return 0 end
    redis.call('HSET', case, unpack(ARGV, 4))
    redis.call('ZADD', schedule, dueMs, caseId)
    local org = redis.call('HGET', case, 'orgId')
    if org then add_assisted(case, org, atMs) end
    note(events, 'opened', 0, atMs)
    return 1`,
} as const

// Changes fields of a case if its state allows it at the moment of the write.
export const changeCase = {
  numberOfKeys: 3,
  lua: `${caseStateLua}${handedOverLua}${caseEventLua}
    local case   = KEYS[1] -- hash: the case
    local events = KEYS[2] -- stream: its time line
    local schedule = KEYS[3] -- sorted set: case ids, by when [epoch ms] the next step of each is due: expiry, then deletion
    local caseId = ARGV[1]
    local atMs   = ARGV[2] -- [epoch ms], the caller's clock
    local states = ARGV[3] -- the states that allow it
    local kind   = ARGV[4] -- of the event that is noted, or empty for none
    local once   = ARGV[5] -- a field that must not exist yet, or empty
    local by     = ARGV[6] -- submitter, or organisation: refused once it handed the case over
    local without = ARGV[7] -- fields that are removed, with spaces between them
    -- ARGV[8…]: field, value, field, value, …
    -- returns 1, or the state that forbids it, or nil when there is no such case, it was handed over, or the field named by once exists
    if isHandedOver(case, by) then return nil end
    local state, may = mayNow(case, states, atMs)
    if not may then return state end
    if once ~= '' and redis.call('HEXISTS', case, once) == 1 then return nil end
    if #ARGV > 7 then redis.call('HSET', case, unpack(ARGV, 8)) end
    for field in string.gmatch(without, '%S+') do redis.call('HDEL', case, field) end
    if among(living, state) then redis.call('ZADD', schedule, nextStep(case), caseId) end
    if kind ~= '' then note(events, kind, 0, atMs) end
    return 1`,
} as const

// Ends a case in one step: it takes no more images, the hashes of all its images are erased, and every replica is told. Running it again returns
// the first answer. The keys of the shards are computed here, because only here is the list of images final. They have the same hash tag as
// the declared keys.
export const endCase = {
  numberOfKeys: 9,
  lua: `${announceLua}${caseStateLua}${handedOverLua}${caseEventLua}${forgetTrustLua}${harmlessSinceLua}${imageDetailsLua}${assistedLua}${feedLaterLua}${withdrawFetchedLua}
    local case     = KEYS[1] -- hash: the case
    local images   = KEYS[2] -- set: its image ids
    local events   = KEYS[3] -- stream: its time line
    local schedule = KEYS[4] -- sorted set: case ids, by when [epoch ms] the next step of each is due: expiry, then deletion
    local erasures = KEYS[5] -- sorted set: ended cases whose hashes may still be in old lines of the append-only file
    local revision = KEYS[6]
    local changes  = KEYS[7]
    local strikes  = KEYS[8] -- sorted set: its strikes, which name its images
    local accounts = KEYS[9] -- sorted set: accounts with strikes
    local caseId   = ARGV[1]
    local atMs     = ARGV[2] -- [epoch ms], the caller's clock
    local ending   = ARGV[3] -- withdrawn, expired
    local forgetMs = ARGV[4] -- [epoch ms] when the case may be deleted
    local prefix   = ARGV[5] -- of all keys
    local shards   = tonumber(ARGV[6])
    local blockMs  = tonumber(ARGV[7]) -- [ms] for which what was judged harmless stays blocked
    local by       = ARGV[8] -- organisation: refused once it handed the case over; anything else: not checked
    local ifWished = ARGV[9] == 'yes' -- only if its end was wished, and is due
    -- returns {state, [integer] revision of the tombstones or 0, and 1 if it ended now}, or nil when there is no such case or it was handed over
    if isHandedOver(case, by) then return nil end
    local state = redis.call('HGET', case, 'state')
    if not state then
      redis.call('ZREM', schedule, caseId)
      return nil
    end
    if not among(living, state) then return { state, tonumber(redis.call('HGET', case, 'endRevision') or '0') } end
    if ending == 'expired' and not isOverdue(case, state, atMs) then return { state, 0 } end
    if ifWished and tonumber(redis.call('HGET', case, 'endWishAtMs') or atMs + 1) > tonumber(atMs) then return { state, 0 } end
    local ids = redis.call('SMEMBERS', images)
    local blocks, blocksUntil = 0, 0
    for _, id in ipairs(ids) do
      local since = harmless_since(prefix, id)
      if since and since + blockMs > tonumber(atMs) then
        blocks = blocks + 1
        blocksUntil = math.max(blocksUntil, since + blockMs)
      end
      local shard = (id:byte(15) * 256 + id:byte(16)) % shards
      redis.call('HDEL', prefix .. 'images:' .. shard, id)
      forget_trust(prefix, id)
      forget_details(prefix, id)
      cancel_feed(prefix, id)
      withdraw_fetched(prefix, id)
    end
    remove_assisted(case)
    redis.call('DEL', images, case .. ':notice', strikes)
    redis.call('ZREM', accounts, 'case:' .. caseId)
    local at = 0
    if #ids > 0 then at = announce(revision, changes, 'tombstone', table.concat(ids)) end
    redis.call('HSET', case, 'state', ending, 'endedAs', ending, 'endedAtMs', atMs, 'endedImages', #ids, 'endRevision', at)
    if blocks > 0 then
      redis.call('HSET', case, 'endedBlocks', blocks, 'endedBlocksUntilMs', string.format('%d', blocksUntil))
    end
    redis.call('ZADD', schedule, forgetMs, caseId)
    redis.call('ZADD', erasures, atMs, caseId)
    note(events, ending, #ids, atMs)
    return { ending, at, 1 }`,
} as const

// Records that no line of the append-only file holds hashes of an ended case any more. Idempotent.
export const eraseCase = {
  numberOfKeys: 3,
  lua: `${caseStateLua}${caseEventLua}
    local case     = KEYS[1] -- hash: the case
    local events   = KEYS[2] -- stream: its time line
    local erasures = KEYS[3] -- sorted set: ended cases whose hashes may still be in old lines of the append-only file
    local caseId   = ARGV[1]
    local atMs     = ARGV[2] -- [epoch ms]
    local states   = ARGV[3] -- the states that allow it
    local to       = ARGV[4]
    -- returns 1, or the state that forbids it, or nil when there is no such case
    local state, may = mayNow(case, states, atMs)
    if may or state == nil or state == to then redis.call('ZREM', erasures, caseId) end
    if not may then return state end
    redis.call('HSET', case, 'state', to, 'erasedAtMs', atMs)
    note(events, to, 0, atMs)
    return 1`,
} as const

// Deletes what is left of a case that ended long enough ago. Idempotent.
export const forgetCase = {
  numberOfKeys: 7,
  lua: `${caseStateLua}
    local case     = KEYS[1]
    local events   = KEYS[2]
    local schedule = KEYS[3]
    local erasures = KEYS[4]
    local strikes  = KEYS[5] -- of a decision that was made while the case ended
    local accounts = KEYS[6]
    local erased   = KEYS[7] -- [integer] what is still in old lines of the append-only file
    local caseId   = ARGV[1]
    local atMs     = ARGV[2] -- [epoch ms]
    -- returns 1 when nothing of it is left, else 0
    local state = redis.call('HGET', case, 'state')
    if state then
      if among(living, state) then return 0 end
      local dueMs = redis.call('ZSCORE', schedule, caseId)
      if dueMs and tonumber(dueMs) > tonumber(atMs) then return 0 end
    end
    if redis.call('DEL', case, events, strikes) > 0 then redis.call('INCR', erased) end
    redis.call('ZREM', accounts, 'case:' .. caseId)
    redis.call('ZREM', schedule, caseId)
    redis.call('ZREM', erasures, caseId)
    return 1`,
} as const
