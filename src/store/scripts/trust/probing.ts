// Charges queries of one organisation that came near the edge of an answer. Each image has a budget per organisation and one over all
// organisations; the organisation has one across images. All halve with time, and a charge near zero is deleted.
export const chargeProbing = {
  numberOfKeys: 2,
  lua: `
    local own      = KEYS[1] -- hash: keyed digest of organisation and image -> inner charge, outer charge, [hours] when
    local shared   = KEYS[2] -- hash: keyed digest of the image -> the same, over all organisations
    local nowH     = tonumber(ARGV[1]) -- [hours] since the epoch
    local halfH    = tonumber(ARGV[2]) -- [hours] in which a charge halves
    local most     = tonumber(ARGV[3]) -- fields of one hash; beyond it new digests share fields
    local ttlS     = ARGV[4] -- [seconds] to keep it after the last charge
    local frozen   = tonumber(ARGV[5]) -- from this outer charge on, credit no longer counts
    -- ARGV[5i + 1] digest of organisation and image i, ARGV[5i + 2] of the image, ARGV[5i + 3] inner, ARGV[5i + 4] outer, ARGV[5i + 5] credit
    -- returns {inner, outer, inner over all organisations, outer over all, … for each} as texts
    local function fieldOf(key, field)
      if redis.call('HEXISTS', key, field) == 1 or redis.call('HLEN', key) < most then return field end
      return 'more:' .. string.sub(field, 1, 2)
    end
    local function read(key, field)
      local inner, outer, atH = string.match(redis.call('HGET', key, field) or '', '^(%S+) (%S+) (%S+)$')
      if not inner then return 0, 0 end
      local left = 0.5 ^ (math.max(0, nowH - tonumber(atH)) / halfH)
      return tonumber(inner) * left, tonumber(outer) * left
    end
    local function write(key, field, inner, outer)
      if inner + outer < 0.05 then redis.call('HDEL', key, field) return end
      redis.call('HSET', key, field, string.format('%.3f %.3f %d', inner, outer, nowH))
      redis.call('EXPIRE', key, ttlS)
    end
    local replies = {}
    for i = 6, #ARGV, 5 do
      local inner, outer, credit = tonumber(ARGV[i + 2]), tonumber(ARGV[i + 3]), tonumber(ARGV[i + 4])
      local field = fieldOf(own, ARGV[i])
      local wasInner, wasOuter = read(own, field)
      if ARGV[i + 1] ~= '' and wasOuter >= frozen then credit = 0 end
      local isInner, isOuter = wasInner + inner, math.max(0, math.max(0, wasOuter - credit) + outer)
      write(own, field, isInner, isOuter)
      local allInner, allOuter = 0, 0
      if ARGV[i + 1] ~= '' then
        field = fieldOf(shared, ARGV[i + 1])
        allInner, allOuter = read(shared, field)
        allInner, allOuter = allInner + inner, math.max(0, allOuter + isOuter - wasOuter)
        write(shared, field, allInner, allOuter)
      end
      for _, number in ipairs({ isInner, isOuter, allInner, allOuter }) do
        replies[#replies + 1] = string.format('%.3f', number)
      end
    end
    return replies`,
} as const
