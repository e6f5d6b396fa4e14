import { announceLua } from '../announce.js'

// Adds a bank or an API key, which every process holds in memory by name, and announces it.
export const putNamed = {
  numberOfKeys: 3,
  lua: `${announceLua}
    local table_   = KEYS[1] -- hash: name -> JSON
    local revision = KEYS[2]
    local changes  = KEYS[3]
    local op       = ARGV[1]
    local name     = ARGV[2]
    local json     = ARGV[3]
    -- returns [integer] the revision that has it, or nil when the name is taken
    if redis.call('HSETNX', table_, name, json) == 0 then return nil end
    return announce(revision, changes, op, name)`,
} as const

// Returns the id of the organisation of this name, and adds the organisation if there is none.
export const ensureOrg = {
  numberOfKeys: 2,
  lua: `
    local ids  = KEYS[1] -- hash: name -> id
    local orgs = KEYS[2] -- hash: id -> JSON
    local name = ARGV[1]
    local id   = ARGV[2]
    local json = ARGV[3]
    -- returns the id of that name
    if redis.call('HSETNX', ids, name, id) == 1 then redis.call('HSET', orgs, id, json) end
    return redis.call('HGET', ids, name)`,
} as const

// Removes an API key and announces it. Its id is random and never reused. Idempotent.
export const removeNamed = {
  numberOfKeys: 3,
  lua: `${announceLua}
    local table_   = KEYS[1] -- hash: name -> JSON
    local revision = KEYS[2]
    local changes  = KEYS[3]
    local op       = ARGV[1]
    local name     = ARGV[2]
    -- returns [integer] the revision, or nil when there was nothing to remove
    if redis.call('HDEL', table_, name) == 0 then return nil end
    return announce(revision, changes, op, name)`,
} as const
