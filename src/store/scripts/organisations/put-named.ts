import { announceLua } from '../announce.js'

// Stores something that every process keeps in memory by name (a bank, an API key) and tells them all.
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

// The organisation of this name, made if it is not there.
export const ensureOrg = {
  numberOfKeys: 2,
  lua: `
    local ids  = KEYS[1] -- hash: name -> id
    local orgs = KEYS[2] -- hash: id -> JSON
    local name = ARGV[1]
    local id   = ARGV[2]
    local json = ARGV[3]
    -- returns the id that counts
    if redis.call('HSETNX', ids, name, id) == 1 then redis.call('HSET', orgs, id, json) end
    return redis.call('HGET', ids, name)`,
} as const

// Takes an API key back. Its id is random and is never given again, so it names one key for ever. Running it twice changes nothing.
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
