import { announceLua } from '../announce.js'
import { caseEventLua } from '../cases/case-event.js'
import { caseStateLua } from '../cases/case-life.js'
import { handedOverLua } from '../cases/handed-over.js'
import { bankLua } from '../organisations/banks.js'
import { feedLaterLua } from '../organisations/feed-batches.js'
import { imageDetailsLua } from './image-details.js'

// Stores images of a bank and announces them to every replica, all or none. The bank has to exist at the moment of the write and be the intended
// one: its name may belong to another bank by now.
export const putImages = {
  numberOfKeys: 'some',
  lua: `${announceLua}${imageDetailsLua}${bankLua}
    local banks    = KEYS[1] -- hash: name -> JSON
    local revision = KEYS[2]
    local changes  = KEYS[3]
    local strikes  = KEYS[4] -- sorted set: strikes of the reporting account, by when [epoch ms]
    local blocked  = KEYS[5] -- sorted set: digests that the account must not submit again, by when [epoch ms] the block ends
    -- KEYS[6 + i]    hash: the shard of image i
    local prefix   = ARGV[1] -- of all keys
    local name     = ARGV[2] -- of the bank, or empty for one that always exists
    local madeAtMs = ARGV[3] -- [epoch ms] when the bank was created
    local sinceMs  = ARGV[4] -- [epoch ms] older strikes do not count
    local most     = tonumber(ARGV[5]) -- [integer] strikes with which an account may no longer report
    local atMs     = tonumber(ARGV[6]) -- [epoch ms], the caller's clock
    local digests  = ARGV[7] -- [16 bytes each] digests of what is submitted
    local by       = ARGV[8] -- by which the writer recognises its change, or empty
    local bankId   = ARGV[9] -- of the bank, or empty
    -- ARGV[3i + 10]  [16 bytes] id of image i
    -- ARGV[3i + 11]  its sealed record
    -- ARGV[3i + 12]  its sealed details, or empty
    -- returns [integer] the revision that has them; nil when there is no such bank any more; objected when the account has too many strikes or a
    -- digest is blocked. Then nothing was stored
    if name ~= '' then
      local json = redis.call('HGET', banks, name)
      local bank = json and cjson.decode(json)
      if not bank or bank.removedAtMs or not isBank(bank, madeAtMs, bankId) then return nil end
    end
    if redis.call('ZCOUNT', strikes, sinceMs, '+inf') >= most then return 'objected' end
    for at = 1, #digests, 16 do
      local untilMs = redis.call('ZSCORE', blocked, string.sub(digests, at, at + 15))
      if untilMs and tonumber(untilMs) > atMs then return 'objected' end
    end
    local ids = {}
    for i = 0, #KEYS - 6 do
      local id = ARGV[3 * i + 10]
      ids[#ids + 1] = id
      redis.call('HSET', KEYS[6 + i], id, ARGV[3 * i + 11])
      put_details(prefix, id, ARGV[3 * i + 12])
    end
    return announce(revision, changes, 'image', table.concat(ids), nil, by)`,
} as const

// Replaces the record of an image and announces it. An image that was erased meanwhile stays erased.
export const replaceImage = {
  numberOfKeys: 3,
  lua: `${announceLua}
    local shard    = KEYS[1] -- hash: the shard of the image
    local revision = KEYS[2]
    local changes  = KEYS[3]
    local id       = ARGV[1] -- [16 bytes]
    local sealed   = ARGV[2]
    -- returns [integer] the revision that has it, or nil when there is no such image any more
    if redis.call('HEXISTS', shard, id) == 0 then return nil end
    redis.call('HSET', shard, id, sealed)
    return announce(revision, changes, 'image', id)`,
} as const

// Stores images of a case and announces them, if the case takes images at the moment of the write. An image that the case already has stays as
// it is: the same picture twice is one image.
export const putCaseImages = {
  numberOfKeys: 'some',
  lua: `${announceLua}${caseStateLua}${handedOverLua}${caseEventLua}${imageDetailsLua}${feedLaterLua}
    local case     = KEYS[1] -- hash: the case
    local images   = KEYS[2] -- set: its image ids
    local events   = KEYS[3] -- stream: its time line
    local revision = KEYS[4]
    local changes  = KEYS[5]
    local strikes  = KEYS[6] -- sorted set: strikes of the reporting account, by when [epoch ms]
    local ofDay    = KEYS[7] -- [integer] hashes that were given today to cases that nobody vouches for
    -- KEYS[8 + i]    hash: the shard of image i
    local atMs     = ARGV[1] -- [epoch ms], the caller's clock
    local states   = ARGV[2] -- the states that allow it
    local to       = ARGV[3] -- the state afterwards
    local most     = tonumber(ARGV[4]) -- [integer] images that a case may have
    local attested = ARGV[5] -- yes when an organisation attests them
    local prefix   = ARGV[6] -- of all keys
    local by       = ARGV[7] -- submitter, or organisation: refused once it handed the case over
    local sinceMs  = ARGV[8] -- [epoch ms] older strikes do not count
    local maxStrikes = tonumber(ARGV[9]) -- [integer] strikes with which an account may no longer report
    local mark     = ARGV[10] -- by which the writer recognises its change, or empty
    local mostHashes = tonumber(ARGV[11]) -- [integer] hashes that a case may have
    local mostOfDay = ARGV[12] -- [integer] the maximum of ofDay, or empty if these hashes do not count
    local sharedOfDay = tonumber(ARGV[13]) -- [integer] ofDay beyond which only cases with few hashes get more
    local ownShare = tonumber(ARGV[14]) -- [integer] how many hashes are few
    -- ARGV[4i + 15]  [16 bytes] id of image i
    -- ARGV[4i + 16]  its sealed record
    -- ARGV[4i + 17]  its sealed details, or empty
    -- ARGV[4i + 18]  [integer] how many hashes it has
    -- returns [integer] the revision that has them, or the state that forbids it, or full, or day-full, or suspended, or nil when there is no such
    -- case
    if redis.call('ZCOUNT', strikes, sinceMs, '+inf') >= maxStrikes then return 'suspended' end
    if isHandedOver(case, by) then return nil end
    local state, may = mayNow(case, states, atMs)
    if not may then return state end
    local added, addedHashes = 0, 0
    for i = 0, #KEYS - 8 do
      if redis.call('SISMEMBER', images, ARGV[4 * i + 15]) == 0 then
        added = added + 1
        addedHashes = addedHashes + tonumber(ARGV[4 * i + 18])
      end
    end
    if added > 0 then
      if redis.call('SCARD', images) + added > most then return 'full' end
      local ofCase = tonumber(redis.call('HGET', case, 'hashes') or '0') + addedHashes
      if ofCase > mostHashes then return 'full' end
      if mostOfDay ~= '' then
        local today = tonumber(redis.call('GET', ofDay) or '0') + addedHashes
        if today > tonumber(mostOfDay) or (today > sharedOfDay and ofCase > ownShare) then return 'day-full' end
        redis.call('INCRBY', ofDay, addedHashes)
        redis.call('EXPIRE', ofDay, 172800) -- [s]
      end
    end
    local ids = {}
    local hashes = 0
    local isNoticed = redis.call('EXISTS', case .. ':notice') == 1
    for i = 0, #KEYS - 8 do
      local id = ARGV[4 * i + 15]
      if redis.call('SADD', images, id) == 1 then
        ids[#ids + 1] = id
        redis.call('HSET', KEYS[8 + i], id, ARGV[4 * i + 16])
        put_details(prefix, id, ARGV[4 * i + 17])
        if isNoticed then redis.call('SADD', prefix .. 'noticed', id) end
        hashes = hashes + tonumber(ARGV[4 * i + 18])
      end
    end
    if #ids == 0 then return tonumber(redis.call('GET', revision) or '0') end
    redis.call('HSET', case, 'state', to)
    redis.call('HINCRBY', case, 'hashes', hashes)
    note(events, 'registered', #ids, atMs)
    if attested == 'yes' then note(events, 'attested', #ids, atMs) end
    local at = announce(revision, changes, 'image', table.concat(ids), nil, mark)
    feed_later(changes, at, 'c', ids)
    return at`,
} as const
