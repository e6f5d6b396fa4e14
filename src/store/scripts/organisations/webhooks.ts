import { EVENTS_MISSED } from '../../../domain/organisations/webhook.js'
import { MISSED_SUBJECT, missEventsLua, outboxLua } from './outbox.js'

/*
 * Keys of one endpoint. All have the hash tag and the endpoint's id, so that scripts can compute them:
 *   webhook-deliveries:<endpoint>                  sorted set: delivery ids, by when [epoch ms] they are due, so that none is listed earlier
 *   webhook-finished:<endpoint>                    sorted set: finished delivery ids, by when [epoch ms] they are deleted
 *   webhook-missed                                 sorted set: endpoints not told yet of events that could not wait, by when [epoch ms] the first was due
 *   webhook-subject-queues:<endpoint>              sorted set: subjects with waiting deliveries, by when [epoch ms] to look at them
 *   webhook-subject-queue:<endpoint>:<subject>     list: delivery ids of one subject, the next one first
 *   webhook-leases:<endpoint>                      sorted set: subjects whose first delivery is being sent, by when [epoch ms] the lease ends
 *   webhook-health:<endpoint>                      hash: failures, failingSinceMs, pausedUntilMs, tokens, tokensAtMs, missedMoreSinceMs
 *   webhook-failing                                sorted set: endpoints whose last delivery failed, by since when [epoch ms] they fail
 *   webhook-delivery:<endpoint>:<id>               hash: type, subject, body, state, createdAtMs, attempts, firstAttemptAtMs, lastAttemptAtMs, nextAttemptAtMs,
 *                                                  status, failure, imageId, caseId
 */

/** Subjects without deliveries that one call removes. */
const MAX_EMPTY = 5000

// Claims the deliveries that may be sent to an endpoint now. Only the first of each subject is claimed, so that events about a subject stay in order.
// The number at a time and per second is bounded; a failing endpoint gets one at a time. A claim that is never settled ends with its lease.
// A stored time that lies further ahead than any wait was written by a clock that was ahead: it counts as over.
export const claimDeliveries = {
  numberOfKeys: 4,
  lua: `
    local endpoints = KEYS[1] -- hash: endpoint id -> sealed
    local queues    = KEYS[2] -- sorted set: subjects with waiting deliveries
    local leases    = KEYS[3] -- sorted set: subjects whose first delivery is being sent
    local health    = KEYS[4] -- hash: see above
    local endpoint  = ARGV[1]
    local atMs      = tonumber(ARGV[2]) -- [epoch ms]
    local leaseMs   = tonumber(ARGV[3]) -- [ms] after which an unsettled claim ends
    local most      = tonumber(ARGV[4]) -- deliveries at a time
    local perSecond = tonumber(ARGV[5])
    local prefix    = ARGV[6]
    local maxPauseMs = tonumber(ARGV[7]) -- [ms] the longest pause of an endpoint
    local maxWaitMs  = tonumber(ARGV[8]) -- [ms] the longest wait of a delivery
    -- returns {when to ask again [epoch ms], or empty when nothing waits; since when events were missed [epoch ms], or empty; delivery id, …}. Where
    -- events were missed, nothing is claimed: the endpoint is told of them first.
    if redis.call('HEXISTS', endpoints, endpoint) == 0 then return { '', '' } end
    redis.call('ZREMRANGEBYSCORE', leases, '-inf', atMs)
    redis.call('ZREMRANGEBYSCORE', leases, '(' .. string.format('%d', atMs + leaseMs), '+inf')
    for _, subject in ipairs(redis.call('ZRANGEBYSCORE', queues, '(' .. string.format('%d', atMs + maxWaitMs), '+inf', 'LIMIT', 0, 1000)) do
      redis.call('ZADD', queues, atMs, subject)
    end
    local failures, pausedUntilMs, tokens, tokensAtMs = unpack(redis.call('HMGET', health, 'failures', 'pausedUntilMs', 'tokens', 'tokensAtMs'))
    local missedSubject = '${MISSED_SUBJECT}'
    local since = redis.call('ZSCORE', prefix .. 'webhook-missed', endpoint)
    -- While it fails, more may be missed, and one message is enough; unless nothing else is left to try it with.
    if since and (tonumber(failures or '0') == 0 or redis.call('ZCARD', queues) == 0) then
      if redis.call('EXISTS', prefix .. 'webhook-subject-queue:' .. endpoint .. ':' .. missedSubject) == 0 then return { '', since } end
    end
    if tonumber(failures or '0') > 0 then most = 1 end
    tokens = math.min(perSecond, tonumber(tokens or perSecond) + math.max(0, atMs - tonumber(tokensAtMs or atMs)) * perSecond / 1000)
    local againMs = atMs
    local free = most - redis.call('ZCARD', leases)
    local pauseMs = tonumber(pausedUntilMs or '0') - atMs
    if pauseMs > 0 and pauseMs <= maxPauseMs then
      free = 0
      againMs = tonumber(pausedUntilMs)
    elseif free > 0 and tokens < 1 then
      free = 0
      redis.call('HSET', health, 'tokens', tokens, 'tokensAtMs', atMs)
      againMs = atMs + math.ceil((1 - tokens) * 1000 / perSecond)
    end
    local claimed = {}
    if free > 0 then
      local told = redis.call('ZSCORE', queues, missedSubject)
      if told and tonumber(told) <= atMs then redis.call('ZADD', queues, 0, missedSubject) end -- also after a failure it goes first
      local wanted = math.min(free, math.floor(tokens))
      local empty = 0
      local due = redis.call('ZRANGEBYSCORE', queues, '-inf', atMs, 'LIMIT', 0, wanted)
      while #due > 0 and empty < ${MAX_EMPTY} do
        for _, subject in ipairs(due) do
          local list = prefix .. 'webhook-subject-queue:' .. endpoint .. ':' .. subject
          local id = redis.call('LINDEX', list, 0)
          while id and redis.call('EXISTS', prefix .. 'webhook-delivery:' .. endpoint .. ':' .. id) == 0 do
            redis.call('LPOP', list)
            id = redis.call('LINDEX', list, 0)
          end
          if id then
            redis.call('ZADD', queues, atMs + leaseMs, subject)
            redis.call('ZADD', leases, atMs + leaseMs, subject)
            claimed[#claimed + 1] = id
            tokens = tokens - 1
          else
            redis.call('ZREM', queues, subject)
            empty = empty + 1
          end
        end
        due = #claimed < wanted and redis.call('ZRANGEBYSCORE', queues, '-inf', atMs, 'LIMIT', 0, wanted - #claimed) or {}
      end
      redis.call('HSET', health, 'tokens', tokens, 'tokensAtMs', atMs)
    end
    local nextDue = redis.call('ZRANGE', queues, 0, 0, 'WITHSCORES')
    local again = nextDue[2] and tostring(math.max(againMs, tonumber(nextDue[2]))) or ''
    return { again, '', unpack(claimed) }`,
} as const

// Makes the one message about all events that were missed until now. They count as told once it was delivered.
export const tellMissed = {
  numberOfKeys: 3,
  lua: `
    local endpoints = KEYS[1] -- hash: endpoint id -> sealed
    local queues    = KEYS[2] -- sorted set
    local missed    = KEYS[3] -- sorted set: endpoints with missed events
    local endpoint  = ARGV[1]
    local id        = ARGV[2]
    local prefix    = ARGV[3]
    local atMs      = ARGV[4] -- [epoch ms]
    local sinceMs   = ARGV[5] -- [epoch ms] as \`claimDeliveries\` returned it
    local body      = ARGV[6]
    -- returns 1, or 0 when there is nothing to tell any more, or something else
    local missedSubject = '${MISSED_SUBJECT}'
    if redis.call('HEXISTS', endpoints, endpoint) == 0 or tonumber(redis.call('ZSCORE', missed, endpoint) or '') ~= tonumber(sinceMs) then return 0 end
    local queue = prefix .. 'webhook-subject-queue:' .. endpoint .. ':' .. missedSubject
    if redis.call('EXISTS', queue) == 1 then return 0 end
    redis.call('HDEL', prefix .. 'webhook-health:' .. endpoint, 'missedMoreSinceMs')
    redis.call('HSET', prefix .. 'webhook-delivery:' .. endpoint .. ':' .. id, 'type', '${EVENTS_MISSED}', 'subject', missedSubject, 'body', body, 'state', 'waiting', 'createdAtMs', atMs, 'attempts', 0, 'nextAttemptAtMs', atMs)
    redis.call('ZADD', prefix .. 'webhook-deliveries:' .. endpoint, atMs, id)
    redis.call('RPUSH', queue, id)
    redis.call('ZADD', queues, 0, missedSubject)
    return 1`,
} as const

// Records the outcome of a claimed delivery. Does nothing when the outcome was already recorded.
export const settleDelivery = {
  numberOfKeys: 4,
  lua: `${missEventsLua}
    local endpoints = KEYS[1] -- hash: endpoint id -> sealed
    local queues    = KEYS[2] -- sorted set
    local leases    = KEYS[3] -- sorted set
    local health    = KEYS[4] -- hash
    local endpoint  = ARGV[1]
    local id        = ARGV[2]
    local prefix    = ARGV[3]
    local atMs      = ARGV[4] -- [epoch ms]
    local state     = ARGV[5] -- waiting (for the next try), delivered, dead, void
    local nextMs    = ARGV[6] -- [epoch ms] of the next try, or empty
    local status    = ARGV[7] -- of HTTP, or empty
    local failure   = ARGV[8] -- or empty
    local keptForMs = ARGV[9] -- [ms] for which a finished delivery is kept, or empty
    local isOurs    = ARGV[10] == 'ours' -- nothing was sent, for a reason on our side: it counts neither as a try nor as a failure
    -- returns [integer] failures in a row of the endpoint, or -1 when there was nothing to settle
    local delivery = prefix .. 'webhook-delivery:' .. endpoint .. ':' .. id
    local subject = redis.call('HGET', delivery, 'subject')
    if not subject or redis.call('HEXISTS', endpoints, endpoint) == 0 then return -1 end
    local list = prefix .. 'webhook-subject-queue:' .. endpoint .. ':' .. subject
    if redis.call('LINDEX', list, 0) ~= id then return -1 end
    if isOurs then
      redis.call('HSET', delivery, 'nextAttemptAtMs', nextMs)
      redis.call('ZREM', leases, subject)
      redis.call('ZADD', queues, nextMs, subject)
      return 0
    end
    redis.call('HSETNX', delivery, 'firstAttemptAtMs', atMs)
    redis.pcall('HINCRBY', delivery, 'attempts', 1) -- in a damaged delivery it may be no number; the delivery has to be settled all the same
    redis.call('HSET', delivery, 'state', state, 'lastAttemptAtMs', atMs, 'status', status, 'failure', failure, 'nextAttemptAtMs', nextMs)
    redis.call('ZREM', leases, subject)
    if state == 'waiting' then
      redis.call('ZADD', queues, nextMs, subject)
    else
      redis.call('LPOP', list)
      redis.call('PEXPIRE', delivery, keptForMs)
      redis.call('ZADD', prefix .. 'webhook-finished:' .. endpoint, string.format('%d', atMs + keptForMs), id)
      local type, createdAtMs = unpack(redis.call('HMGET', delivery, 'type', 'createdAtMs'))
      if type == '${EVENTS_MISSED}' and state == 'delivered' then
        local moreSinceMs = redis.call('HGET', health, 'missedMoreSinceMs')
        redis.call('ZREM', prefix .. 'webhook-missed', endpoint)
        if moreSinceMs then redis.call('ZADD', prefix .. 'webhook-missed', moreSinceMs, endpoint) end
      end
      -- Nothing else would ever tell that the signal is gone.
      if type == 'signal.withdrawn' and state == 'dead' then miss_events(prefix, endpoint, tonumber(createdAtMs) or atMs) end
      local head = redis.call('LINDEX', list, 0)
      if head then
        local dueMs = redis.call('HGET', prefix .. 'webhook-delivery:' .. endpoint .. ':' .. head, 'nextAttemptAtMs')
        redis.call('ZADD', queues, dueMs or atMs, subject)
      else
        redis.call('ZREM', queues, subject)
      end
    end
    if failure == '' then
      redis.call('HDEL', health, 'failures', 'failingSinceMs', 'pausedUntilMs')
      redis.call('ZREM', prefix .. 'webhook-failing', endpoint)
      return 0
    end
    redis.call('HSETNX', health, 'failingSinceMs', atMs)
    redis.call('ZADD', prefix .. 'webhook-failing', redis.call('HGET', health, 'failingSinceMs'), endpoint)
    return redis.call('HINCRBY', health, 'failures', 1)`,
} as const

// Pauses a failing endpoint.
export const pauseEndpoint = {
  numberOfKeys: 2,
  lua: `
    local endpoints = KEYS[1] -- hash: endpoint id -> sealed
    local health    = KEYS[2] -- hash
    local endpoint  = ARGV[1]
    local untilMs   = ARGV[2] -- [epoch ms]
    -- returns 1, or 0 when there is no such endpoint
    if redis.call('HEXISTS', endpoints, endpoint) == 0 then return 0 end
    redis.call('HSET', health, 'pausedUntilMs', untilMs)
    return 1`,
} as const

// Sends a finished delivery once more, behind the waiting ones about the same subject.
export const replayDelivery = {
  numberOfKeys: 4,
  lua: `${outboxLua}
    local endpoints = KEYS[1] -- hash: endpoint id -> sealed
    local queues    = KEYS[2] -- sorted set
    local delivery  = KEYS[3] -- hash
    local health    = KEYS[4] -- hash
    local endpoint  = ARGV[1]
    local id        = ARGV[2]
    local prefix    = ARGV[3]
    local atMs      = ARGV[4] -- [epoch ms]
    -- returns 1, 0 when it already waits, or nil when there is no such delivery
    if redis.call('HEXISTS', endpoints, endpoint) == 0 then return nil end
    local state, subject = unpack(redis.call('HMGET', delivery, 'state', 'subject'))
    if not state or state == 'void' then return nil end
    if state == 'waiting' then return 0 end
    redis.call('HSET', delivery, 'state', 'waiting', 'attempts', 0, 'nextAttemptAtMs', atMs)
    redis.call('HDEL', delivery, 'firstAttemptAtMs')
    redis.call('PERSIST', delivery)
    redis.call('ZREM', prefix .. 'webhook-finished:' .. endpoint, id)
    if redis.call('RPUSH', prefix .. 'webhook-subject-queue:' .. endpoint .. ':' .. subject, id) == 1 then redis.call('ZADD', queues, atMs, subject) end
    redis.call('HDEL', health, 'pausedUntilMs')
    outbox(prefix, 'kind', 'wake', 'endpoint', endpoint)
    return 1`,
} as const

// Stores an endpoint, if its organisation may have another one.
export const putWebhook = {
  numberOfKeys: 2,
  lua: `
    local endpoints = KEYS[1] -- hash: endpoint id -> sealed
    local ofOrg     = KEYS[2] -- set: endpoint ids of the organisation
    local endpoint  = ARGV[1]
    local sealed    = ARGV[2]
    local most      = tonumber(ARGV[3])
    -- returns 1, or 0 when the organisation has as many as it may
    if redis.call('SISMEMBER', ofOrg, endpoint) == 0 and redis.call('SCARD', ofOrg) >= most then return 0 end
    redis.call('SADD', ofOrg, endpoint)
    redis.call('HSET', endpoints, endpoint, sealed)
    return 1`,
} as const

// Changes an endpoint, unless another process changed it since it was read. The sealed values are compared: their nonce is their version.
export const changeWebhook = {
  numberOfKeys: 1,
  lua: `
    local endpoints = KEYS[1] -- hash: endpoint id -> sealed
    local endpoint  = ARGV[1]
    local before    = ARGV[2] -- sealed
    local after     = ARGV[3] -- sealed
    -- returns 1, or 0 when it was changed or removed meanwhile
    if redis.call('HGET', endpoints, endpoint) ~= before then return 0 end
    redis.call('HSET', endpoints, endpoint, after)
    return 1`,
} as const

// Sends a test message to one endpoint.
export const pingWebhook = {
  numberOfKeys: 1,
  lua: `${outboxLua}
    local endpoints = KEYS[1] -- hash: endpoint id -> sealed
    local endpoint  = ARGV[1]
    local prefix    = ARGV[2]
    -- returns the id of the outbox entry, or nil when there is no such endpoint
    if redis.call('HEXISTS', endpoints, endpoint) == 0 then return nil end
    return outbox(prefix, 'kind', 'webhook.ping', 'endpoint', endpoint)`,
} as const

// Removes an endpoint and its deliveries. Idempotent.
export const removeWebhook = {
  numberOfKeys: 2,
  lua: `
    local endpoints = KEYS[1] -- hash: endpoint id -> sealed
    local ofOrg     = KEYS[2] -- set: endpoint ids of the organisation
    local endpoint  = ARGV[1]
    local prefix    = ARGV[2]
    -- returns 1, or 0 when it was already removed
    local had = redis.call('HDEL', endpoints, endpoint)
    redis.call('SREM', ofOrg, endpoint)
    local all = prefix .. 'webhook-deliveries:' .. endpoint
    local queues = prefix .. 'webhook-subject-queues:' .. endpoint
    for _, id in ipairs(redis.call('ZRANGE', all, 0, -1)) do redis.call('DEL', prefix .. 'webhook-delivery:' .. endpoint .. ':' .. id) end
    for _, subject in ipairs(redis.call('ZRANGE', queues, 0, -1)) do redis.call('DEL', prefix .. 'webhook-subject-queue:' .. endpoint .. ':' .. subject) end
    redis.call('DEL', all, queues, prefix .. 'webhook-leases:' .. endpoint, prefix .. 'webhook-health:' .. endpoint, prefix .. 'webhook-finished:' .. endpoint)
    redis.call('ZREM', prefix .. 'webhook-failing', endpoint)
    redis.call('ZREM', prefix .. 'webhook-missed', endpoint)
    return had`,
} as const
