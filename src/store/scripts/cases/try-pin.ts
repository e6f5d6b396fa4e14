import { MAX_FAILURE_DAYS, MAX_FAILURES_SHOWN, MAX_PIN_GUESSES } from '../../../domain/cases/case.js'
import { caseEventLua } from './case-event.js'
import { caseStateLua } from './case-life.js'

/**
 * Lua: `note_failure(case, events, atMs)` adds a failed PIN to the time line. There is one event a day, replaced as its count grows: somebody who
 * knows a case number can neither fill the time line nor push other events out of it. Webhooks report only the first failure of a day.
 */
const noteFailureLua = `
    local function note_failure (case, events, atMs)
      local day = math.floor(tonumber(atMs) / 86400000)
      local lastDay, counted, kept = unpack(redis.call('HMGET', case, 'failureDay', 'failures', 'failureEvents'))
      local ids = {}
      for id in string.gmatch(kept or '', '%S+') do ids[#ids + 1] = id end
      local count = 1
      if tonumber(lastDay or '-1') == day then
        count = tonumber(counted) + 1
        if count > ${MAX_FAILURES_SHOWN} then return end
        redis.call('XDEL', events, table.remove(ids))
        ids[#ids + 1] = redis.call('XADD', events, '*', 'kind', 'pin-failed', 'count', count, 'atMs', atMs)
      else
        ids[#ids + 1] = note(events, 'pin-failed', count, atMs)
        if #ids > ${MAX_FAILURE_DAYS} then redis.call('XDEL', events, table.remove(ids, 1)) end
      end
      redis.call('HSET', case, 'failureDay', day, 'failures', count, 'failureEvents', table.concat(ids, ' '))
    end`

// Tries to open a case by PIN or recovery code. Comparing and counting is one step, so parallel attempts get no extra guesses. The first use of a
// new PIN or code replaces the old ones: at every moment the case opens with the PIN or code that the submitter was shown.
export const tryPin = {
  numberOfKeys: 3,
  lua: `${caseStateLua}${caseEventLua}${noteFailureLua}
    local case   = KEYS[1] -- hash: the case
    local events = KEYS[2] -- stream: its time line
    local tried  = KEYS[3] -- [integer] attempts at all case numbers: an unknown number also writes, and so takes as long to answer
    local given  = ARGV[1] -- the stretched PIN or recovery code
    local field  = ARGV[2] -- pin, recoveryCode
    local atMs   = ARGV[3] -- [epoch ms], the caller's clock
    -- returns {[integer] how often the PIN has changed, 1 if it changed now}, or nil when the case stays closed or does not exist
    redis.call('INCR', tried)
    local state = redis.call('HGET', case, 'state')
    if not state then return nil end
    local pin, code, nextPin, nextCode = unpack(redis.call('HMGET', case, 'pin', 'recoveryCode', 'nextPin', 'nextRecoveryCode'))
    -- New ones that were asked for without the recovery code open nothing before their time.
    if tonumber(redis.call('HGET', case, 'nextFromMs') or '0') > tonumber(atMs) then nextPin, nextCode = nil, nil end
    local guesses = tonumber(redis.call('HGET', case, 'pinGuesses') or '0')
    local isPin = field == 'pin'
    local isBlocked = isPin and guesses >= ${MAX_PIN_GUESSES}
    local current, next = code, nextCode
    if isPin then current, next = pin, nextPin end
    local isCurrent, isNext = given == current, given == next
    if isBlocked or not (isCurrent or isNext) then
      if among(living, state) then note_failure(case, events, atMs) end
      if isPin and not isBlocked then
        guesses = redis.call('HINCRBY', case, 'pinGuesses', nextPin and 2 or 1)
        if guesses >= ${MAX_PIN_GUESSES} and among(living, state) then note(events, 'pin-blocked', 0, atMs) end
      end
      return nil
    end
    redis.call('HDEL', case, 'handoverSeed')
    if not isNext then return { tonumber(redis.call('HGET', case, 'pinChanges') or '0'), 0 } end
    redis.call('HSET', case, 'pin', nextPin, 'recoveryCode', nextCode)
    redis.call('HDEL', case, 'nextPin', 'nextRecoveryCode', 'nextFromMs', 'nextByCode')
    note(events, 'pin-changed', 0, atMs)
    return { redis.call('HINCRBY', case, 'pinChanges', 1), 1 }`,
} as const
