import { MAX_DELIVERIES } from '../../../domain/organisations/webhook.js'

/** Entries of the outbox. Far more than ever wait while a messenger runs; the oldest are deleted beyond it. */
const MAX_WAITING = 1_000_000

/**
 * Lua: `outbox(prefix, field, value, …)` appends an event for the messenger, in the same step as what happened: nothing is acknowledged without its
 * webhook. Entries are deleted when they have become deliveries.
 */
export const outboxLua = `
    local function outbox (prefix, ...)
      return redis.call('XADD', prefix .. 'webhook-outbox', 'MAXLEN', '~', ${MAX_WAITING}, '*', ...)
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
// twice. An entry that some endpoints cannot be told of yet waits for them, behind the entries that already wait.
export const fanOut = {
  numberOfKeys: 6,
  lua: `
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
    local fields    = tonumber(ARGV[7]) -- how many of the next arguments are fields of the entry and their values
    -- ARGV[8 …] field, value, …; then for each delivery: endpoint, delivery, subject, type, body, due [epoch ms], id of the image that must
    -- still match, or empty
    -- returns [integer] how many deliveries were made, or -1 when another process holds the outbox
    if redis.call('GET', holder) ~= token then return -1 end
    if source == 'waiting' and #redis.call('XRANGE', waiting, entry, entry) == 0 then return 0 end
    local made = 0
    for i = 8 + fields, #ARGV, 7 do
      local endpoint, id, subject, type, body, dueMs, image = unpack(ARGV, i, i + 6)
      local delivery = prefix .. 'webhook-delivery:' .. endpoint .. ':' .. id
      if redis.call('HEXISTS', endpoints, endpoint) == 1 and redis.call('EXISTS', delivery) == 0 then
        redis.call('HSET', delivery, 'type', type, 'subject', subject, 'body', body, 'state', 'waiting', 'createdAtMs', dueMs, 'attempts', 0, 'nextAttemptAtMs', dueMs)
        if image ~= '' then redis.call('HSET', delivery, 'imageId', image) end
        local deliveries = prefix .. 'webhook-deliveries:' .. endpoint
        redis.call('ZADD', deliveries, dueMs, id)
        for _, old in ipairs(redis.call('ZRANGE', deliveries, 0, -${MAX_DELIVERIES + 1})) do
          redis.call('DEL', prefix .. 'webhook-delivery:' .. endpoint .. ':' .. old)
          redis.call('ZREM', deliveries, old)
        end
        if redis.call('RPUSH', prefix .. 'webhook-subject-queue:' .. endpoint .. ':' .. subject, id) == 1 then
          redis.call('ZADD', prefix .. 'webhook-subject-queues:' .. endpoint, dueMs, subject)
        end
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
      local id = redis.call('XADD', waiting, '*', 'entry', entry, unpack(ARGV, 8, 7 + fields))
      redis.call('HSET', waitsFor, id, remaining)
      if redis.call('XLEN', waiting) > most then
        local oldest = redis.call('XRANGE', waiting, '-', '+', 'COUNT', 1)[1][1]
        redis.call('XDEL', waiting, oldest)
        redis.call('HDEL', waitsFor, oldest)
      end
    end
    if source == 'outbox' then redis.call('XDEL', outbox, entry) else redis.call('SET', cursor, entry) end
    return made`,
} as const
