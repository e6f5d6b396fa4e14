import { CASE_ACTIONS, type CaseAction } from '../../../domain/cases/case.js'
import { announceLua } from '../announce.js'
import { withdrawFetchedLua } from '../images/fetched.js'
import { imageDetailsLua } from '../images/image-details.js'
import { feedLaterLua } from '../organisations/feed-batches.js'
import { forgetTrustLua, harmlessSinceLua } from '../trust/put-trust.js'
import { assistedLua } from './assisted.js'
import { caseEventLua } from './case-event.js'
import { handedOverLua } from './handed-over.js'

/** Lua: `mayNow(case, states, atMs)`, a state or nil first, then whether what needs one of `states` may be done. */
export const caseStateLua = `
    local living = ' ${CASE_ACTIONS.expire.from.join(' ')} '
    local function among (states, state) return string.find(states, ' ' .. state .. ' ', 1, true) ~= nil end
    -- A case whose time is over is expired, whether or not somebody has come round to erasing it.
    local function isOverdue (case, state, atMs)
      return among(living, state) and tonumber(redis.call('HGET', case, 'expiresAtMs')) <= tonumber(atMs)
    end
    local function mayNow (case, states, atMs)
      local state = redis.call('HGET', case, 'state')
      if not state then return nil, false end
      if isOverdue(case, state, atMs) then return 'expired', false end
      return state, among(states, state)
    end`

/** The states in which an action is allowed, as a string that Lua finds them in. */
export function statesFor(action: CaseAction): string {
  return ` ${CASE_ACTIONS[action].from.join(' ')} `
}

// Opens a case unless its number is taken.
export const openCase = {
  numberOfKeys: 3,
  lua: `${caseEventLua}${assistedLua}
    local case   = KEYS[1] -- hash: the case
    local events = KEYS[2] -- stream: its time line
    local dues   = KEYS[3] -- sorted set: when something has to be done with a case
    local caseId = ARGV[1]
    local atMs   = ARGV[2] -- [epoch ms]
    local dueMs  = ARGV[3] -- [epoch ms] when it expires
    -- ARGV[4…]: field, value, field, value, …
    -- returns 1, or 0 when there is such a case
    if redis.call('EXISTS', case) == 1 then return 0 end
    redis.call('HSET', case, unpack(ARGV, 4))
    redis.call('ZADD', dues, dueMs, caseId)
    local org = redis.call('HGET', case, 'orgId')
    if org then helped_by(case, org, atMs) end
    note(events, 'opened', 0, atMs)
    return 1`,
} as const

// Changes fields of a case if its state allows it at this very moment.
export const changeCase = {
  numberOfKeys: 3,
  lua: `${caseStateLua}${handedOverLua}${caseEventLua}
    local case   = KEYS[1] -- hash: the case
    local events = KEYS[2] -- stream: its time line
    local dues   = KEYS[3] -- sorted set: when something has to be done with a case
    local caseId = ARGV[1]
    local atMs   = ARGV[2] -- [epoch ms], the caller's clock
    local states = ARGV[3] -- in which it may be done
    local kind   = ARGV[4] -- of the event that is noted, or empty
    local dueMs  = ARGV[5] -- [epoch ms] a new due, or empty
    local once   = ARGV[6] -- a field that must not be there yet, or empty
    local by     = ARGV[7] -- submitter; organisation: as long as it has not handed the case over
    -- ARGV[8…]: field, value, field, value, …
    -- returns 1, or the state that forbids it, or nil when there is no such case, or it was handed over, or when it was done before
    if isHandedOver(case, by) then return nil end
    local state, may = mayNow(case, states, atMs)
    if not may then return state end
    if once ~= '' and redis.call('HEXISTS', case, once) == 1 then return nil end
    redis.call('HSET', case, unpack(ARGV, 8))
    if dueMs ~= '' then redis.call('ZADD', dues, dueMs, caseId) end
    if kind ~= '' then note(events, kind, 0, atMs) end
    return 1`,
} as const

// Ends a case in one step: no image can be added after it, the bits of all are erased, every index is told. Running it twice
// gives the first answer again. The shards' keys are computed here, since only here the list is final; they carry the same hash
// tag as the declared keys.
export const endCase = {
  numberOfKeys: 7,
  lua: `${announceLua}${caseStateLua}${handedOverLua}${caseEventLua}${forgetTrustLua}${harmlessSinceLua}${imageDetailsLua}${assistedLua}${feedLaterLua}${withdrawFetchedLua}
    local case     = KEYS[1] -- hash: the case
    local images   = KEYS[2] -- set: its image ids
    local events   = KEYS[3] -- stream: its time line
    local dues     = KEYS[4] -- sorted set: when something has to be done with a case
    local erasures = KEYS[5] -- sorted set: whose bits are in old lines of the log
    local revision = KEYS[6]
    local changes  = KEYS[7]
    local caseId   = ARGV[1]
    local atMs     = ARGV[2] -- [epoch ms], the caller's clock
    local ending   = ARGV[3] -- withdrawn, expired
    local forgetMs = ARGV[4] -- [epoch ms] when it may be forgotten
    local prefix   = ARGV[5] -- of all keys
    local shards   = tonumber(ARGV[6])
    local blockMs  = tonumber(ARGV[7]) -- [ms] for which what was judged harmless stays blocked
    local by       = ARGV[8] -- organisation: as long as it has not handed the case over; anybody else
    -- returns {state, [integer] revision of the tombstones or 0, and 1 if it ended now}, or nil without a case, or when it was handed over
    if isHandedOver(case, by) then return nil end
    local state = redis.call('HGET', case, 'state')
    if not state then
      redis.call('ZREM', dues, caseId)
      return nil
    end
    if not among(living, state) then return { state, tonumber(redis.call('HGET', case, 'endRevision') or '0') } end
    if ending == 'expired' and not isOverdue(case, state, atMs) then return { state, 0 } end
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
      tell_no_later(prefix, id)
      withdraw_fetched(prefix, id)
    end
    helped_no_more(case)
    redis.call('DEL', images, case .. ':notice')
    local at = 0
    if #ids > 0 then at = announce(revision, changes, 'tombstone', table.concat(ids)) end
    redis.call('HSET', case, 'state', ending, 'endedAs', ending, 'endedAtMs', atMs, 'endedImages', #ids, 'endRevision', at)
    if blocks > 0 then
      redis.call('HSET', case, 'endedBlocks', blocks, 'endedBlocksUntilMs', string.format('%d', blocksUntil))
    end
    redis.call('ZADD', dues, forgetMs, caseId)
    redis.call('ZADD', erasures, atMs, caseId)
    note(events, ending, #ids, atMs)
    return { ending, at, 1 }`,
} as const

// Says that the bits of an ended case are in no line of the log any more. Running it twice changes nothing.
export const eraseCase = {
  numberOfKeys: 3,
  lua: `${caseStateLua}${caseEventLua}
    local case     = KEYS[1] -- hash: the case
    local events   = KEYS[2] -- stream: its time line
    local erasures = KEYS[3] -- sorted set: whose bits are in old lines of the log
    local caseId   = ARGV[1]
    local atMs     = ARGV[2] -- [epoch ms]
    local states   = ARGV[3] -- in which it may be done
    local to       = ARGV[4]
    -- returns 1, or the state that forbids it, or nil when there is no such case
    local state, may = mayNow(case, states, atMs)
    if may or state == nil or state == to then redis.call('ZREM', erasures, caseId) end
    if not may then return state end
    redis.call('HSET', case, 'state', to, 'erasedAtMs', atMs)
    note(events, to, 0, atMs)
    return 1`,
} as const

// Removes what is left of a case that ended long enough ago. Running it twice changes nothing.
export const forgetCase = {
  numberOfKeys: 4,
  lua: `${caseStateLua}
    local case     = KEYS[1]
    local events   = KEYS[2]
    local dues     = KEYS[3]
    local erasures = KEYS[4]
    local caseId   = ARGV[1]
    local atMs     = ARGV[2] -- [epoch ms]
    -- returns 1 when there is nothing left of it, else 0
    local state = redis.call('HGET', case, 'state')
    if state then
      if among(living, state) then return 0 end
      local dueMs = redis.call('ZSCORE', dues, caseId)
      if dueMs and tonumber(dueMs) > tonumber(atMs) then return 0 end
    end
    redis.call('DEL', case, events)
    redis.call('ZREM', dues, caseId)
    redis.call('ZREM', erasures, caseId)
    return 1`,
} as const
