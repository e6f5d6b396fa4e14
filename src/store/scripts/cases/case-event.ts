import { outboxLua } from '../organisations/outbox.js'

/** Events of one case. Some are deleted beyond it, so that matching one picture again and again cannot fill the store. */
export const MAX_CASE_EVENTS = 1000
/** At least this many events are deleted at one time, because finding them reads the whole time line. */
const DELETED_AT_ONCE = 50

/**
 * Lua: `shorten(events)` deletes events of a time line that is too long. First verdicts that the same platform has changed later, then the oldest of the
 * kind with the most: so no platform, and nobody who pauses and resumes without end, can push out what she must see, such as a new PIN that was asked for.
 */
const shortenLua = `
    local function shorten (events)
      if redis.call('XLEN', events) <= ${MAX_CASE_EVENTS} then return end
      local told, ids, most, changed = {}, {}, nil, {}
      local entries = redis.call('XRANGE', events, '-', '+')
      for i = #entries, 1, -1 do
        local id, fields = unpack(entries[i])
        local kind, about = fields[2], fields[8]
        if about and told[about] then changed[#changed + 1] = id
        else
          if about then told[about] = true end
          ids[kind] = ids[kind] or {}
          table.insert(ids[kind], id)
          if not most or #ids[kind] > #ids[most] then most = kind end
        end
      end
      if #changed > 0 then redis.call('XDEL', events, unpack(changed)) end
      local oldest = ids[most]
      for i = #oldest, math.max(1, #oldest - ${DELETED_AT_ONCE - 1} + #changed), -1 do redis.call('XDEL', events, oldest[i]) end
    end`

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
export const caseEventLua = `${outboxLua}${readingOrgLua}${shortenLua}
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
      local id = redis.call('XADD', eventsKey, '*', unpack(fields))
      shorten(eventsKey)
      return id
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
