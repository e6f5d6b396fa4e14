import { MAX_FAILURE_DAYS, MAX_FAILURES_SHOWN, MAX_PIN_GUESSES } from '../../../domain/cases/case.js'
import { caseEventLua } from './case-event.js'
import { caseStateLua } from './case-life.js'

/**
 * Lua: `note_failure(case, events, atMs)`. One event a day, replaced as its count grows: whoever knows a case number can neither fill the
 * time line, nor push out of it what else happened. Webhooks are told of the first of a day alone.
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

// One attempt to open a case, by PIN or recovery code: compared and counted in one step, so that many at once gain nothing. The first use of
// what was given out last replaces what was before: at every moment a PIN or code opens the case that she was shown.
export const tryPin = {
  numberOfKeys: 3,
  lua: `${caseStateLua}${caseEventLua}${noteFailureLua}
    local case   = KEYS[1] -- hash: the case
    local events = KEYS[2] -- stream: its time line
    local tried  = KEYS[3] -- [integer] attempts at all numbers: an unknown one writes something too, and waits for the disk as long
    local given  = ARGV[1] -- the stretched PIN or recovery code
    local field  = ARGV[2] -- pin, recoveryCode
    local atMs   = ARGV[3] -- [epoch ms], the caller's clock
    -- returns {[integer] how often the PIN has changed, 1 if it changed now}, or nil when the case stays closed, or there is none
    redis.call('INCR', tried)
    local state = redis.call('HGET', case, 'state')
    if not state then return nil end
    local pin, code, nextPin, nextCode = unpack(redis.call('HMGET', case, 'pin', 'recoveryCode', 'nextPin', 'nextRecoveryCode'))
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
    redis.call('HDEL', case, 'nextPin', 'nextRecoveryCode')
    note(events, 'pin-changed', 0, atMs)
    return { redis.call('HINCRBY', case, 'pinChanges', 1), 1 }`,
} as const
