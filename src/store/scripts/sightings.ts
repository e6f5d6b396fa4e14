import { outboxLua } from './outbox.js'

// Adds up the matches of one image in one hour, if it is still there. Not waited for on disk: counts may be lost, answers are not made of
// them. Who was told of it is remembered for as long as it is registered, since its withdrawal has to reach them however late; of one that
// was withdrawn between the answer and this note they hear now. A word for a party is kept for as long as the image is being seen, so that each is new once.
export const noteSightings = `${outboxLua}
    local images   = KEYS[1] -- hash: the shard of the image
    local noticed  = KEYS[3] -- set: image ids with a notice
    local seen     = KEYS[2] -- hash: hour, past, h:<party> -> hits in this hour, s:<party> -> 1
    local told     = KEYS[4] -- set: parties
    local id       = ARGV[1] -- [16 bytes]
    local hour     = tonumber(ARGV[2]) -- [integer] since the epoch
    local ttlS     = ARGV[3] -- [seconds] to remember it after the last match
    local pastMax  = tonumber(ARGV[4]) -- hours to remember
    local prefix   = ARGV[5] -- of all keys
    -- ARGV[6 + 2i] party i, ARGV[7 + 2i] its hits
    -- returns {past as hour=hits,hits;…, [integer] parties so far, [1 or 0] is it new, … for each, then the hits of this hour, then [1 or 0] is there a notice}; nil without the image
    local isThere = redis.call('HEXISTS', images, id) == 1
    local parties = {}
    for i = 6, #ARGV, 2 do
      parties[#parties + 1] = ARGV[i]
      if isThere then redis.call('SADD', told, ARGV[i]) end
    end
    if not isThere then
      if #parties > 0 then outbox(prefix, 'kind', 'signal.withdrawn', 'image', id, 'parties', table.concat(parties, ' ')) end
      return nil
    end
    local last = tonumber(redis.call('HGET', seen, 'hour') or hour)
    if hour > last then
      local hits, gone = {}, {}
      local all = redis.call('HGETALL', seen)
      for i = 1, #all, 2 do
        if string.sub(all[i], 1, 2) == 'h:' then gone[#gone + 1] = all[i]; hits[#hits + 1] = all[i + 1] end
      end
      if #gone > 0 then
        redis.call('HDEL', seen, unpack(gone))
        local past, count = last .. '=' .. table.concat(hits, ','), 1
        for entry in string.gmatch(redis.call('HGET', seen, 'past') or '', '[^;]+') do
          count = count + 1
          if count > pastMax then break end
          past = past .. ';' .. entry
        end
        redis.call('HSET', seen, 'past', past)
      end
    end
    redis.call('HSET', seen, 'hour', math.max(hour, last))
    local isNew = {}
    for i = 6, #ARGV, 2 do
      redis.call('HINCRBY', seen, 'h:' .. ARGV[i], ARGV[i + 1])
      isNew[#isNew + 1] = redis.call('HSETNX', seen, 's:' .. ARGV[i], 1)
    end
    redis.call('EXPIRE', seen, ttlS)
    local all = redis.call('HGETALL', seen)
    local count, hits, past = 0, {}, ''
    for i = 1, #all, 2 do
      local kind = string.sub(all[i], 1, 2)
      if kind == 's:' then count = count + 1 end
      if kind == 'h:' then hits[#hits + 1] = tonumber(all[i + 1]) end
      if all[i] == 'past' then past = all[i + 1] end
    end
    return { past, count, isNew, hits, redis.call('SISMEMBER', noticed, id) }`
