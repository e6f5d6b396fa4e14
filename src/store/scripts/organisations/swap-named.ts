import { announceLua } from '../announce.js'

// Changes a bank or an API key, unless another process changed it since it was read, and announces it. Can add another one in the same step, so that
// a key and its successor appear together.
export const swapNamed = {
  numberOfKeys: 3,
  lua: `${announceLua}
    local table_   = KEYS[1] -- hash: name -> JSON
    local revision = KEYS[2]
    local changes  = KEYS[3]
    local op       = ARGV[1]
    local name     = ARGV[2]
    local before   = ARGV[3] -- JSON as it was read
    local after    = ARGV[4] -- JSON
    local newName  = ARGV[5] -- '' for none
    local newJson  = ARGV[6]
    -- returns [integer] the revision that has all of it, or nil when the JSON is not as it was read, or the new name is taken
    if redis.call('HGET', table_, name) ~= before then return nil end
    if newName ~= '' then
      if redis.call('HSETNX', table_, newName, newJson) == 0 then return nil end
      announce(revision, changes, op, newName)
    end
    redis.call('HSET', table_, name, after)
    return announce(revision, changes, op, name)`,
} as const
