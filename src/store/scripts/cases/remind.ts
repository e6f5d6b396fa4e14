import { assistedLua } from './assisted.js'
import { caseEventLua } from './case-event.js'
import { caseStateLua } from './case-life.js'

// Tells the webhooks of the organisations that assist a case when it ends: the one that opened it, while it may read the case, and the contact of its
// notice. What was told is kept with the case, so each end is told once, however often this runs.
export const tellEndOfCase = {
  numberOfKeys: 1,
  lua: `${caseStateLua}${caseEventLua}${assistedLua}
    local case    = KEYS[1] -- hash: the case
    local caseId  = ARGV[1]
    local endMs   = ARGV[2] -- [epoch ms] the end that is told; a case that was renewed meanwhile has another one
    local atMs    = ARGV[3] -- [epoch ms]
    local prefix  = ARGV[4] -- of all keys
    -- returns [integer] how many organisations are told now
    local state, expiresAtMs, toldMs = unpack(redis.call('HMGET', case, 'state', 'expiresAtMs', 'toldEndMs'))
    if not state or not among(living, state) or expiresAtMs ~= endMs or toldMs == endMs then return 0 end
    redis.call('HSET', case, 'toldEndMs', endMs)
    local opener, contact = reading_org(case), contact_of(case)
    if contact == opener then contact = nil end
    local told = 0
    for _, org in pairs({ opener or false, contact or false }) do
      if org then
        outbox(prefix, 'kind', 'case.expires-soon', 'case', caseId, 'org', org, 'expiresAtMs', endMs, 'atMs', atMs)
        told = told + 1
      end
    end
    return told`,
} as const
