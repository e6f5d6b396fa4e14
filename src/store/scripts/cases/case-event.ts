import { outboxLua } from '../organisations/outbox.js'

/** Of one case. Beyond it the oldest are forgotten, so that nobody fills the store by matching one picture again and again. */
export const MAX_CASE_EVENTS = 1000

// How a script writes into the time line of a case, in the same step as what happened. The organisation that opened it, while it may look
// at it, is told by its webhooks.
export const caseEventLua = `${outboxLua}
    local function note (eventsKey, kind, count, atMs)
      local prefix, caseId = string.match(eventsKey, '^(.*:)case:(.*):events$')
      local org, handedOver, keepsReading = unpack(redis.call('HMGET', prefix .. 'case:' .. caseId, 'orgId', 'handedOverAtMs', 'keepsReading'))
      if org and (not handedOver or keepsReading == 'yes') then
        outbox(prefix, 'kind', 'case.updated', 'case', caseId, 'org', org, 'event', kind, 'count', count, 'atMs', atMs)
      end
      if kind == 'attested' then redis.call('HSET', prefix .. 'case:' .. caseId, 'vouchedFor', 'yes') end
      return redis.call('XADD', eventsKey, 'MAXLEN', ${MAX_CASE_EVENTS}, '*', 'kind', kind, 'count', count, 'atMs', atMs)
    end`

// Notes what happened elsewhere, if there still is such a case: what comes late must not bring a time line back.
export const addCaseEvent = {
  numberOfKeys: 2,
  lua: `${caseEventLua}
    local case   = KEYS[1] -- hash: the case
    local events = KEYS[2] -- stream: its time line
    local kind   = ARGV[1]
    local count  = ARGV[2] -- [integer]
    local atMs   = ARGV[3] -- [epoch ms], the caller's clock
    -- returns the id of the event, or nil when there is no such case
    if redis.call('EXISTS', case) == 0 then return nil end
    return note(events, kind, count, atMs)`,
} as const
