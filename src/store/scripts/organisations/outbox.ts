import { EVENTS_MISSED } from '../../../domain/organisations/webhook.js'
import { MAX_EVENTS } from '../add-event.js'

/** The subject of the message about missed events. */
export const MISSED_SUBJECT = 'missed'
/** Entries of the outbox. Far more than ever wait while a messenger runs. */
const MAX_WAITING = 1_000_000
/** Deleted at a time beyond it, so that endpoints are told of it rarely. */
const DELETED_OF_OUTBOX = 10_000
/** More than are made at a time, so that their number shrinks. */
const DELETED_AT_ONCE = 20

/**
 * Lua: `miss_events(prefix, endpoint, sinceMs)` notes that events since then are not sent to an endpoint one by one. It gets one message in place of
 * them (`claimDeliveries`), and the operator an event.
 */
export const missEventsLua = `
    local function miss_events (prefix, endpoint, sinceMs)
      local missed = prefix .. 'webhook-missed'
      local subject = '${MISSED_SUBJECT}'
      if redis.call('EXISTS', prefix .. 'webhook-subject-queue:' .. endpoint .. ':' .. subject) == 1 then
        redis.call('HSETNX', prefix .. 'webhook-health:' .. endpoint, 'missedMoreSinceMs', sinceMs) -- after the message that waits was made
      end
      local known = redis.call('ZSCORE', missed, endpoint)
      if known and tonumber(known) <= tonumber(sinceMs) then return end
      redis.call('ZADD', missed, sinceMs, endpoint)
      if known then return end
      local about = cjson.encode({ webhookId = endpoint })
      local time = redis.call('TIME')
      local nowMs = string.format('%d', time[1] * 1000 + math.floor(time[2] / 1000))
      redis.call('XADD', prefix .. 'events', 'MAXLEN', ${MAX_EVENTS}, '*', 'kind', '${EVENTS_MISSED}', 'atMs', nowMs, 'about', about)
    end`

/**
 * Lua: `outbox(prefix, field, value, …)` appends an event for the messenger, in the same step as what happened: nothing is acknowledged without its
 * webhook. Entries are deleted when they have become deliveries. Where too many wait, the oldest are deleted, and each endpoint is told that it missed
 * events: a withdrawal may have been among them.
 */
export const outboxLua = `${missEventsLua}
    local function outbox (prefix, ...)
      local waiting = prefix .. 'webhook-outbox'
      if redis.call('XLEN', waiting) >= ${MAX_WAITING} then
        local sinceMs = string.match(redis.call('XRANGE', waiting, '-', '+', 'COUNT', 1)[1][1], '^%d+')
        for _, endpoint in ipairs(redis.call('HKEYS', prefix .. 'webhooks')) do miss_events(prefix, endpoint, sinceMs) end
        redis.call('XTRIM', waiting, 'MAXLEN', ${MAX_WAITING - DELETED_OF_OUTBOX})
      end
      return redis.call('XADD', waiting, '*', ...)
    end`

/** Lua: `delete_finished(prefix, endpoint, most)` deletes the oldest finished deliveries beyond so many in all, and entries of expired ones. */
const deleteFinishedLua = `
    local function delete_finished (prefix, endpoint, most)
      local finished = prefix .. 'webhook-finished:' .. endpoint
      local over = redis.call('ZCARD', finished) + redis.call('ZCARD', prefix .. 'webhook-subject-queues:' .. endpoint) - most
      for i, id in ipairs(redis.call('ZRANGE', finished, 0, ${DELETED_AT_ONCE - 1})) do
        local delivery = prefix .. 'webhook-delivery:' .. endpoint .. ':' .. id
        if i > over and redis.call('EXISTS', delivery) == 1 then return end
        redis.call('ZREM', finished, id)
        if redis.call('HGET', delivery, 'state') ~= 'waiting' then -- an older version may have sent it again
          redis.call('DEL', delivery)
          redis.call('ZREM', prefix .. 'webhook-deliveries:' .. endpoint, id)
        end
      end
    end`

/** Makes this process the one that turns the outbox into deliveries, or renews that. */
export const holdOutbox = {
  numberOfKeys: 1,
  lua: `
    local holder = KEYS[1] -- string: token of the process that turns the outbox into deliveries
    local token  = ARGV[1]
    local ttlMs  = ARGV[2] -- [ms]
    -- returns 1 when this process already held it, 2 when it holds it from now on, 0 when another one does
    local current = redis.call('GET', holder)
    if current and current ~= token then return 0 end
    redis.call('SET', holder, token, 'PX', ttlMs)
    return current and 1 or 2`,
} as const

// Turns one entry of the outbox, of the events or of the waiting entries into deliveries and removes it, in one step: no delivery is lost or made
// twice. An entry that some endpoints cannot be told of yet waits for them, behind the entries that already wait. Where too many deliveries wait, the
// endpoint is told in one message that it missed events.
export const fanOut = {
  numberOfKeys: 6,
  lua: `${missEventsLua}${deleteFinishedLua}
    local holder    = KEYS[1] -- string: token of the process that may do this
    local outbox    = KEYS[2] -- stream
    local cursor    = KEYS[3] -- string: id of the last event
    local endpoints = KEYS[4] -- hash: endpoint id -> sealed
    local waiting   = KEYS[5] -- stream: entries that wait for endpoints
    local waitsFor  = KEYS[6] -- hash: id of a waiting entry -> endpoint ids
    local token     = ARGV[1]
    local source    = ARGV[2] -- outbox, events, waiting
    local entry     = ARGV[3] -- its id
    local prefix    = ARGV[4] -- of all keys
    local remaining = ARGV[5] -- endpoint ids that it keeps waiting for, or empty
    local most      = tonumber(ARGV[6]) -- entries that may wait; the oldest are deleted beyond it
    local maxDeliveries  = tonumber(ARGV[7]) -- of one endpoint: see \`DELIVERY_LIMITS\`
    local maxWithdrawals = tonumber(ARGV[8])
    local maxOfSubject   = tonumber(ARGV[9])
    local fields    = tonumber(ARGV[10]) -- how many of the next arguments are fields of the entry and their values
    -- ARGV[11 …] field, value, …; then for each delivery: endpoint, delivery, subject, type, body, due [epoch ms], id of the image that must
    -- still match, or empty, id of the case that its receiver must still be allowed to learn of, or empty
    -- returns [integer] how many deliveries were made, or -1 when another process holds the outbox
    if redis.call('GET', holder) ~= token then return -1 end
    if source == 'waiting' and #redis.call('XRANGE', waiting, entry, entry) == 0 then return 0 end
    local made = 0
    for i = 11 + fields, #ARGV, 8 do
      local endpoint, id, subject, type, body, dueMs, image, case = unpack(ARGV, i, i + 7)
      local delivery = prefix .. 'webhook-delivery:' .. endpoint .. ':' .. id
      local queues = prefix .. 'webhook-subject-queues:' .. endpoint
      local queue = prefix .. 'webhook-subject-queue:' .. endpoint .. ':' .. subject
      local isNew = redis.call('HEXISTS', endpoints, endpoint) == 1 and redis.call('EXISTS', delivery) == 0
      local max = type == 'signal.withdrawn' and maxWithdrawals or maxDeliveries
      local hasRoom = redis.call('ZCARD', queues) < max and redis.call('LLEN', queue) < maxOfSubject
      if isNew and not hasRoom then
        if type ~= 'webhook.ping' then miss_events(prefix, endpoint, dueMs) end
      elseif isNew then
        redis.call('HSET', delivery, 'type', type, 'subject', subject, 'body', body, 'state', 'waiting', 'createdAtMs', dueMs, 'attempts', 0, 'nextAttemptAtMs', dueMs)
        if image ~= '' then redis.call('HSET', delivery, 'imageId', image) end
        if case ~= '' then redis.call('HSET', delivery, 'caseId', case) end
        local deliveries = prefix .. 'webhook-deliveries:' .. endpoint
        redis.call('ZADD', deliveries, dueMs, id)
        if redis.call('RPUSH', queue, id) == 1 then redis.call('ZADD', queues, dueMs, subject) end
        delete_finished(prefix, endpoint, maxDeliveries)
        made = made + 1
      end
    end
    if source == 'waiting' then
      if remaining == '' then
        redis.call('XDEL', waiting, entry)
        redis.call('HDEL', waitsFor, entry)
      else
        redis.call('HSET', waitsFor, entry, remaining)
      end
      return made
    end
    if remaining ~= '' then
      local id = redis.call('XADD', waiting, '*', 'entry', entry, unpack(ARGV, 11, 10 + fields))
      redis.call('HSET', waitsFor, id, remaining)
      if redis.call('XLEN', waiting) > most then
        local oldest = redis.call('XRANGE', waiting, '-', '+', 'COUNT', 1)[1][1]
        for each in string.gmatch(redis.call('HGET', waitsFor, oldest) or '', '%S+') do
          if redis.call('HEXISTS', endpoints, each) == 1 then miss_events(prefix, each, string.match(oldest, '^%d+')) end
        end
        redis.call('XDEL', waiting, oldest)
        redis.call('HDEL', waitsFor, oldest)
      end
    end
    if source == 'outbox' then redis.call('XDEL', outbox, entry) else redis.call('SET', cursor, entry) end
    return made`,
} as const
