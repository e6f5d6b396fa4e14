import { MAX_DELIVERIES } from '../../../domain/organisations/webhook.js'

/** Far more than ever waits while a process is there to read it. Beyond it the oldest are forgotten. */
const MAX_WAITING = 1_000_000

// How a script tells the process that sends webhooks, in the same step as what happened: nothing is acknowledged that nobody will hear of.
// Entries are erased when they have become deliveries.
export const outboxLua = `
    local function outbox (prefix, ...)
      return redis.call('XADD', prefix .. 'webhook-outbox', 'MAXLEN', '~', ${MAX_WAITING}, '*', ...)
    end`

/** Becomes the one that turns the outbox into deliveries, or stays it. */
export const holdOutbox = {
  numberOfKeys: 1,
  lua: `
    local holder = KEYS[1] -- string: who turns the outbox into deliveries
    local token  = ARGV[1]
    local ttlMs  = ARGV[2] -- [ms]
    -- returns 1 when it was this one before, 2 when it became so now, or 0 when it is another one
    local now = redis.call('GET', holder)
    if now and now ~= token then return 0 end
    redis.call('SET', holder, token, 'PX', ttlMs)
    return now and 1 or 2`,
} as const

// Turns one entry of the outbox, of the events or of those that wait into deliveries and is done with it, in one step: none is lost, none is
// made twice. An entry that some webhooks cannot be told of yet waits for them, behind those that wait already.
export const fanOut = {
  numberOfKeys: 6,
  lua: `
    local holder    = KEYS[1] -- string: who may do this
    local outbox    = KEYS[2] -- stream
    local cursor    = KEYS[3] -- string: id of the last event
    local endpoints = KEYS[4] -- hash: endpoint id -> sealed
    local waiting   = KEYS[5] -- stream: entries that wait
    local waitsFor  = KEYS[6] -- hash: id of an entry that waits -> endpoint ids
    local token     = ARGV[1]
    local source    = ARGV[2] -- outbox, events, waiting
    local entry     = ARGV[3] -- its id
    local prefix    = ARGV[4] -- of all keys
    local remaining = ARGV[5] -- endpoint ids that it waits for from now on, or empty
    local most      = tonumber(ARGV[6]) -- entries that may wait; beyond it the oldest are forgotten
    local fields    = tonumber(ARGV[7]) -- how many of the next arguments are its fields and their values
    -- ARGV[8 …] field, value, …; then for each delivery endpoint, delivery, subject, type, body, due [epoch ms], id of the image that must
    -- still match, or empty
    -- returns [integer] how many were made, or -1 when it is another one's to do
    if redis.call('GET', holder) ~= token then return -1 end
    if source == 'waiting' and #redis.call('XRANGE', waiting, entry, entry) == 0 then return 0 end
    local made = 0
    for i = 8 + fields, #ARGV, 7 do
      local endpoint, id, subject, type, body, dueMs, image = unpack(ARGV, i, i + 6)
      local delivery = prefix .. 'webhook-delivery:' .. endpoint .. ':' .. id
      if redis.call('HEXISTS', endpoints, endpoint) == 1 and redis.call('EXISTS', delivery) == 0 then
        redis.call('HSET', delivery, 'type', type, 'subject', subject, 'body', body, 'state', 'waiting', 'createdAtMs', dueMs, 'tries', 0, 'nextTryAtMs', dueMs)
        if image ~= '' then redis.call('HSET', delivery, 'imageId', image) end
        local all = prefix .. 'webhook-deliveries:' .. endpoint
        redis.call('ZADD', all, dueMs, id)
        for _, old in ipairs(redis.call('ZRANGE', all, 0, -${MAX_DELIVERIES + 1})) do
          redis.call('DEL', prefix .. 'webhook-delivery:' .. endpoint .. ':' .. old)
          redis.call('ZREM', all, old)
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
