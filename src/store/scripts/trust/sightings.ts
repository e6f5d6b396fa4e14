import { outboxLua } from '../organisations/outbox.js'

// Adds up the matches of one image in one hour, if it is still there. Not waited for on disk: counts may be lost, answers are not made of
// them. Who was told of it is remembered for as long as it is registered, since its withdrawal has to reach them however late; of one that
// was withdrawn between the answer and this note they hear now. A word for a party is kept for as long as the image is being seen, so that each is new once.
// How uploads look is kept as a HyperLogLog of keyed hashes of 32 bits of theirs: it says how many, and of none which.
export const recordMatchEvents = `${outboxLua}
    local images   = KEYS[1] -- hash: the shard of the image
    local seen     = KEYS[2] -- hash: hour, h:<party> -> hits in this hour, s:<party> -> 1; half, uploads -> in this half of a day, uploadsBefore -> in the one before
    local noticed  = KEYS[3] -- set: image ids with a notice
    local told     = KEYS[4] -- set: parties
    local looks    = KEYS[5] -- HyperLogLog: of this half of a day
    local before   = KEYS[6] -- HyperLogLog: of the one before
    local id       = ARGV[1] -- [16 bytes]
    local hour     = tonumber(ARGV[2]) -- [integer] since the epoch
    local half     = tonumber(ARGV[3]) -- [integer] of days, since the epoch
    local ttlS     = ARGV[4] -- [seconds] to remember it after the last match
    local looksTtlS = ARGV[5] -- [seconds]
    local prefix   = ARGV[6] -- of all keys
    local count    = tonumber(ARGV[7]) -- of parties
    -- ARGV[8 + 2i] party i, ARGV[9 + 2i] its hits; then keyed hashes of how uploads look that are no copies
    -- returns {[integer] parties so far, [1 or 0] is it new, … for each, then the hits of this hour, then [1 or 0] is there a notice, [integer] uploads and [integer] looks of both halves}; nil without the image
    local isThere = redis.call('HEXISTS', images, id) == 1
    local parties = {}
    for i = 8, 6 + 2 * count, 2 do
      parties[#parties + 1] = ARGV[i]
      if isThere then redis.call('SADD', told, ARGV[i]) end
    end
    if not isThere then
      if #parties > 0 then outbox(prefix, 'kind', 'signal.withdrawn', 'image', id, 'parties', table.concat(parties, ' ')) end
      return nil
    end
    local last = tonumber(redis.call('HGET', seen, 'hour') or hour)
    if hour > last then
      local gone = {}
      for _, field in ipairs(redis.call('HKEYS', seen)) do
        if string.sub(field, 1, 2) == 'h:' or field == 'past' then gone[#gone + 1] = field end -- past: of older versions
      end
      if #gone > 0 then redis.call('HDEL', seen, unpack(gone)) end
    end
    redis.call('HSET', seen, 'hour', math.max(hour, last))
    local lastHalf = tonumber(redis.call('HGET', seen, 'half') or half)
    if half > lastHalf then
      redis.call('DEL', before)
      local uploadsBefore = 0
      if half == lastHalf + 1 then
        if redis.call('EXISTS', looks) == 1 then redis.call('RENAME', looks, before) end
        uploadsBefore = redis.call('HGET', seen, 'uploads') or 0
      else
        redis.call('DEL', looks)
      end
      redis.call('HSET', seen, 'uploads', 0, 'uploadsBefore', uploadsBefore)
    end
    redis.call('HSET', seen, 'half', math.max(half, lastHalf))
    if #ARGV > 7 + 2 * count then
      redis.call('PFADD', looks, unpack(ARGV, 8 + 2 * count))
      redis.call('EXPIRE', looks, looksTtlS)
    end
    local isNew = {}
    for i = 8, 6 + 2 * count, 2 do
      redis.call('HINCRBY', seen, 'h:' .. ARGV[i], ARGV[i + 1])
      redis.call('HINCRBY', seen, 'uploads', ARGV[i + 1])
      isNew[#isNew + 1] = redis.call('HSETNX', seen, 's:' .. ARGV[i], 1)
    end
    redis.call('EXPIRE', seen, ttlS)
    local all = redis.call('HGETALL', seen)
    local known, hits, uploads = 0, {}, 0
    for i = 1, #all, 2 do
      local kind = string.sub(all[i], 1, 2)
      if kind == 's:' then known = known + 1 end
      if kind == 'h:' then hits[#hits + 1] = tonumber(all[i + 1]) end
      if all[i] == 'uploads' or all[i] == 'uploadsBefore' then uploads = uploads + tonumber(all[i + 1]) end
    end
    return { known, isNew, hits, redis.call('SISMEMBER', noticed, id), uploads, redis.call('PFCOUNT', looks, before) }`
