import { outboxLua } from '../organisations/outbox.js'

/** Events of one case. The oldest are deleted beyond it, so that matching one picture again and again cannot fill the store. */
export const MAX_CASE_EVENTS = 1000

/** Lua: `reading_org(case)` returns the organisation that opened the case, while it may read the case. */
export const readingOrgLua = `
    local function reading_org (case)
      local org, handedOver, keepsReading = unpack(redis.call('HMGET', case, 'orgId', 'handedOverAtMs', 'keepsReading'))
      if handedOver and keepsReading ~= 'yes' then return nil end
      return org
    end`

/**
 * Lua: `note(events, kind, count, atMs, about)` adds an event to a case's time line, in the same step as what happened, and returns its id. The
 * webhooks of the organisation that opened the case report it, while that organisation may read the case.
 */
export const caseEventLua = `${outboxLua}${readingOrgLua}
    local function note (eventsKey, kind, count, atMs, about)
      local prefix, caseId = string.match(eventsKey, '^(.*:)case:(.*):events$')
      local org = reading_org(prefix .. 'case:' .. caseId)
      if org then
        outbox(prefix, 'kind', 'case.updated', 'case', caseId, 'org', org, 'event', kind, 'count', count, 'atMs', atMs)
      end
      if kind == 'attested' then redis.call('HSET', prefix .. 'case:' .. caseId, 'vouchedFor', 'yes') end
      local fields = { 'kind', kind, 'count', count, 'atMs', atMs }
      if about and about ~= '' then
        fields[7] = 'about'
        fields[8] = about
      end
      return redis.call('XADD', eventsKey, 'MAXLEN', ${MAX_CASE_EVENTS}, '*', unpack(fields))
    end`

// Notes an event that happened elsewhere, unless the case no longer exists: a late event must not recreate a time line.
export const addCaseEvent = {
  numberOfKeys: 2,
  lua: `${caseEventLua}
    local case   = KEYS[1] -- hash: the case
    local events = KEYS[2] -- stream: its time line
    local kind   = ARGV[1]
    local count  = ARGV[2] -- [integer]
    local atMs   = ARGV[3] -- [epoch ms], the caller's clock
    local about  = ARGV[4] -- of a verdict: keyed hash of platform and image; or empty
    -- returns the id of the event, or nil when there is no such case
    if redis.call('EXISTS', case) == 0 then return nil end
    return note(events, kind, count, atMs, about)`,
} as const
