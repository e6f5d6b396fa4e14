import { outboxLua } from '../organisations/outbox.js'

// Adds up the matches of one image in one hour, if the image still exists. Does not wait for the disk: a crash may lose counts, and no answer
// depends on them.
//
// The pseudonym of each organisation that was told of the image is kept as long as the image is registered, because every one of them must be told
// of its withdrawal. If the image was withdrawn between the answer and this call, they are told now. The fields s:<pseudonym> mark known ones, and
// expire some time after the last match.
//
// A HyperLogLog of 32-bit keyed hashes counts how many different looks the uploads had, and reveals none of them. New looks are also counted for
// each frame of a video, for a view that alone decided, for each organisation and for each hour.
export const recordMatchEvents = `${outboxLua}
    local images   = KEYS[1] -- hash: the shard of the image
    local seen     = KEYS[2] -- hash: hour; h:<pseudonym> -> hits in it; s:<pseudonym> -> 1; half (of a day); uploads in it; uploadsBefore, in the half before;
                             -- v:<view> -> looks in this half that it alone decided; v:o<pseudonym> -> looks that it brought; v:h<hour> -> looks that
                             -- were new in it; w:<the same>, in the half before
    local noticed  = KEYS[3] -- set: image ids with a notice
    local told     = KEYS[4] -- set: pseudonyms of the organisations that were told
    local looks    = KEYS[5] -- HyperLogLog: looks of uploads in this half of a day
    local before   = KEYS[6] -- HyperLogLog: the same, in the half before
    local frames   = KEYS[7] -- sorted set: of a video: frames, by how many looks of this half were found by each that neither half had
    local framesBefore = KEYS[8] -- sorted set: the same, in the half before
    local id       = ARGV[1] -- [16 bytes]
    local hour     = tonumber(ARGV[2]) -- [integer] since the epoch
    local half     = tonumber(ARGV[3]) -- [integer] half days since the epoch
    local ttlS     = ARGV[4] -- [seconds] to keep it after the last match
    local looksTtlS = ARGV[5] -- [seconds] to keep the looks
    local prefix   = ARGV[6] -- of all keys
    local count    = tonumber(ARGV[7]) -- [integer] of pseudonyms
    -- ARGV[8 + 2i] pseudonym i, ARGV[9 + 2i] its hits; then of uploads that are no copies: keyed hash of the look, that of the frame or empty,
    -- [integer] the view that alone decided or empty, pseudonym, and so on
    -- returns {[integer] pseudonyms so far; for each [1 or 0] whether it is new; hits of this hour, one number for each pseudonym; [1 or 0] whether
    -- there is a notice; [integer] uploads and [integer] different looks, of a video those of the frame with most, both of the last two half days;
    -- views and their looks; looks of each organisation; [integer] hours with new looks}; nil without the image
    local isThere = redis.call('HEXISTS', images, id) == 1
    local pseudonyms = {}
    for i = 8, 6 + 2 * count, 2 do
      pseudonyms[#pseudonyms + 1] = ARGV[i]
      if isThere then redis.call('SADD', told, ARGV[i]) end
    end
    if not isThere then
      if #pseudonyms > 0 then outbox(prefix, 'kind', 'signal.withdrawn', 'image', id, 'pseudonyms', table.concat(pseudonyms, ' ')) end
      return nil
    end
    -- One hour or half a day behind is the end of a window, seen late. More behind: it was counted by a clock that was ahead. Without a new
    -- window, everything until then would add up to a flood.
    local function window (name, now)
      local last = tonumber(redis.call('HGET', seen, name) or now)
      if now == last - 1 then return last, last end
      return now, last
    end
    local lastHour, lastHalf
    hour, lastHour = window('hour', hour)
    half, lastHalf = window('half', half)
    if hour ~= lastHour then
      local gone = {}
      for _, field in ipairs(redis.call('HKEYS', seen)) do
        if string.sub(field, 1, 2) == 'h:' then gone[#gone + 1] = field end
      end
      if #gone > 0 then redis.call('HDEL', seen, unpack(gone)) end
    end
    redis.call('HSET', seen, 'hour', hour)
    if half ~= lastHalf then
      redis.call('DEL', before, framesBefore)
      local uploadsBefore = 0
      if half == lastHalf + 1 then
        if redis.call('EXISTS', looks) == 1 then redis.call('RENAME', looks, before) end
        if redis.call('EXISTS', frames) == 1 then redis.call('RENAME', frames, framesBefore) end
        uploadsBefore = redis.call('HGET', seen, 'uploads') or 0
      else
        redis.call('DEL', looks, frames)
      end
      redis.call('HSET', seen, 'uploads', 0, 'uploadsBefore', uploadsBefore)
      local fields = redis.call('HGETALL', seen)
      for i = 1, #fields, 2 do
        if string.sub(fields[i], 1, 2) == 'w:' then redis.call('HDEL', seen, fields[i]) end
      end
      for i = 1, #fields, 2 do
        if string.sub(fields[i], 1, 2) == 'v:' then
          redis.call('HDEL', seen, fields[i])
          if half == lastHalf + 1 then redis.call('HSET', seen, 'w:' .. string.sub(fields[i], 3), fields[i + 1]) end
        end
      end
    end
    redis.call('HSET', seen, 'half', half)
    for i = 8 + 2 * count, #ARGV, 4 do
      local isNew = redis.call('PFADD', looks, ARGV[i]) == 1
      -- Adding it to the half before changes nothing: both are counted together.
      if isNew and redis.call('EXISTS', before) == 1 then isNew = redis.call('PFADD', before, ARGV[i]) == 1 end
      if isNew and ARGV[i + 1] ~= '' then redis.call('ZINCRBY', frames, 1, ARGV[i + 1]) end
      if isNew then
        if ARGV[i + 2] ~= '' then redis.call('HINCRBY', seen, 'v:' .. ARGV[i + 2], 1) end
        redis.call('HINCRBY', seen, 'v:o' .. ARGV[i + 3], 1)
        redis.call('HINCRBY', seen, 'v:h' .. hour, 1)
      end
    end
    if #ARGV > 7 + 2 * count then
      redis.call('EXPIRE', looks, looksTtlS)
      redis.call('EXPIRE', frames, looksTtlS)
    end
    local isNew = {}
    for i = 8, 6 + 2 * count, 2 do
      redis.call('HINCRBY', seen, 'h:' .. ARGV[i], ARGV[i + 1])
      redis.call('HINCRBY', seen, 'uploads', ARGV[i + 1])
      isNew[#isNew + 1] = redis.call('HSETNX', seen, 's:' .. ARGV[i], 1)
    end
    redis.call('EXPIRE', seen, ttlS)
    local all = redis.call('HGETALL', seen)
    local known, hits, uploads, byName = 0, {}, 0, {}
    for i = 1, #all, 2 do
      local kind = string.sub(all[i], 1, 2)
      if kind == 's:' then known = known + 1 end
      if kind == 'h:' then hits[#hits + 1] = tonumber(all[i + 1]) end
      if kind == 'v:' or kind == 'w:' then
        local name = string.sub(all[i], 3)
        byName[name] = (byName[name] or 0) + tonumber(all[i + 1])
      end
      if all[i] == 'uploads' or all[i] == 'uploadsBefore' then uploads = uploads + tonumber(all[i + 1]) end
    end
    local views, ofOrgs, hours = {}, {}, 0
    for name, looksOf in pairs(byName) do
      local kind = string.sub(name, 1, 1)
      if kind == 'o' then
        ofOrgs[#ofOrgs + 1] = looksOf
      elseif kind == 'h' then
        hours = hours + 1
      else
        views[#views + 1] = tonumber(name)
        views[#views + 1] = looksOf
      end
    end
    local most = 0
    for _, pair in ipairs({ { frames, framesBefore }, { framesBefore, frames } }) do
      local top = redis.call('ZREVRANGE', pair[1], 0, 0, 'WITHSCORES')
      if top[1] then most = math.max(most, tonumber(top[2]) + tonumber(redis.call('ZSCORE', pair[2], top[1]) or '0')) end
    end
    if most == 0 then most = redis.call('PFCOUNT', looks, before) end
    return { known, isNew, hits, redis.call('SISMEMBER', noticed, id), uploads, most, views, ofOrgs, hours }`
