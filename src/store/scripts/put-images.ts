import { announceLua } from './announce.js'

// Stores images of a bank and tells every index, all or none.
export const putImages = {
  numberOfKeys: 'some',
  lua: `${announceLua}
    local revision = KEYS[1]
    local changes  = KEYS[2]
    -- KEYS[3 + i]    hash: the shard of image i
    -- ARGV[2i + 1]   [16 bytes] id of image i
    -- ARGV[2i + 2]   its sealed record
    -- returns [integer] the revision that has them
    local ids = {}
    for i = 0, #KEYS - 3 do
      ids[#ids + 1] = ARGV[2 * i + 1]
      redis.call('HSET', KEYS[3 + i], ARGV[2 * i + 1], ARGV[2 * i + 2])
    end
    return announce(revision, changes, 'image', table.concat(ids))`,
} as const

// Stores images of a case, if the case still takes images at this very moment.
export const putCaseImages = {
  numberOfKeys: 'some',
  lua: `${announceLua}
    local case     = KEYS[1] -- hash: the case
    local images   = KEYS[2] -- set: its image ids
    local revision = KEYS[3]
    local changes  = KEYS[4]
    -- KEYS[5 + i]    hash: the shard of image i
    -- ARGV[2i + 1]   [16 bytes] id of image i
    -- ARGV[2i + 2]   its sealed record
    -- returns [integer] the revision that has them, or the state that forbids it, or nil when there is no such case
    local state = redis.call('HGET', case, 'state')
    if state ~= 'open' and state ~= 'active' then return state end
    redis.call('HSET', case, 'state', 'active')
    local ids = {}
    for i = 0, #KEYS - 5 do
      ids[#ids + 1] = ARGV[2 * i + 1]
      redis.call('HSET', KEYS[5 + i], ARGV[2 * i + 1], ARGV[2 * i + 2])
      redis.call('SADD', images, ARGV[2 * i + 1])
    end
    return announce(revision, changes, 'image', table.concat(ids))`,
} as const
