import { assistedLua } from './assisted.js'
import { handedOverLua } from './handed-over.js'
import { CONTACT_FIELD, hexLua, indexDeadlinesLua } from './image-deadlines.js'

// Starts deadlines of one image for one platform. Those that already run or ran stay as they are, and an erased image gets none.
export const startDeadlines = {
  numberOfKeys: 4,
  lua: `${indexDeadlinesLua}
    local images    = KEYS[1] -- hash: the shard of the image
    local deadlines = KEYS[2] -- hash: org|law|stage -> [epoch ms] when it is due, or stopped; contact -> organisation id
    local schedule  = KEYS[3] -- sorted set: hex of image|org|law|stage, by when it is due
    local notice    = KEYS[4] -- string: JSON, of the image's case
    local id        = ARGV[1] -- [16 bytes]
    local hex       = ARGV[2]
    local prefix    = ARGV[3] -- of all keys
    -- ARGV[4 + 2i] deadline i, ARGV[5 + 2i] [epoch ms] when it is due
    -- returns [integer] how many were started
    if redis.call('HEXISTS', images, id) == 0 then return 0 end
    local started = 0
    for i = 4, #ARGV, 2 do
      if redis.call('HSETNX', deadlines, ARGV[i], ARGV[i + 1]) == 1 then
        redis.call('ZADD', schedule, ARGV[i + 1], hex .. '|' .. ARGV[i])
        started = started + 1
      end
    end
    local json = redis.call('GET', notice)
    if started > 0 then index_deadlines(prefix, hex, json and cjson.decode(json).contactOrgId or '') end
    return started`,
} as const

// Stops deadlines for good: a decision stops each deadline that it answers. Idempotent. Deadlines start a moment after the match, so a decision that
// comes first keeps those from starting.
export const stopDeadlines = {
  numberOfKeys: 3,
  lua: `
    local images    = KEYS[1] -- hash: the shard of the image
    local deadlines = KEYS[2]
    local schedule  = KEYS[3]
    local id        = ARGV[1] -- [16 bytes]
    local hex       = ARGV[2]
    local prefix    = ARGV[3] -- of all keys
    -- ARGV[4 + 2i] deadline i, ARGV[5 + 2i] whether it is stopped before it starts: yes or no
    -- returns [integer] how many were stopped
    if redis.call('HEXISTS', images, id) == 0 then return 0 end
    local stopped = 0
    local contact = redis.call('HGET', deadlines, '${CONTACT_FIELD}')
    for i = 4, #ARGV, 2 do
      if ARGV[i + 1] == 'yes' or redis.call('HEXISTS', deadlines, ARGV[i]) == 1 then
        redis.call('HSET', deadlines, ARGV[i], 'stopped')
        stopped = stopped + redis.call('ZREM', schedule, hex .. '|' .. ARGV[i])
        if contact then redis.call('SREM', prefix .. 'contact-deadlines:' .. contact, hex .. '|' .. ARGV[i]) end
      end
    end
    return stopped`,
} as const

// Stores the notice of a case while the case takes images, marks its images as noticed, and adds the case and its deadlines to the indexes of the
// notice's contact.
export const putNotice = {
  numberOfKeys: 4,
  lua: `${handedOverLua}${assistedLua}${hexLua}${indexDeadlinesLua}
    local case    = KEYS[1] -- hash: the case
    local images  = KEYS[2] -- set: its image ids
    local notice  = KEYS[3] -- string: JSON
    local noticed = KEYS[4] -- set: image ids with a notice
    local json    = ARGV[1]
    local states  = ARGV[2] -- the states that allow it
    local contact = ARGV[3] -- organisation id, or empty
    local atMs    = ARGV[4] -- [epoch ms]
    local by      = ARGV[5] -- submitter, or organisation: refused once it handed the case over
    local prefix  = ARGV[6] -- of all keys
    -- returns 1, or the state that forbids it, or nil when there is no such case or it was handed over
    if isHandedOver(case, by) then return nil end
    local state = redis.call('HGET', case, 'state')
    if not state then return nil end
    if not string.find(states, ' ' .. state .. ' ', 1, true) then return state end
    local before = contact_of(case)
    if before and before ~= redis.call('HGET', case, 'orgId') then remove_assisted_of(case, before) end
    redis.call('SET', notice, json)
    if contact ~= '' then add_assisted(case, contact, atMs) end
    for _, id in ipairs(redis.call('SMEMBERS', images)) do
      redis.call('SADD', noticed, id)
      index_deadlines(prefix, hexOf(id), contact)
    end
    return 1`,
} as const
