// Charges queries of one organisation that came near the edge of an answer. Each image has a budget per organisation and one over all
// organisations. All halve with time, and a charge near zero is deleted.
export const chargeProbing = {
  numberOfKeys: 2,
  lua: `
    local own      = KEYS[1] -- hash: keyed digest of organisation and image -> inner charge, outer charge, [hours] when
    local shared   = KEYS[2] -- hash: keyed digest of the image -> the same, over all organisations
    local nowH     = tonumber(ARGV[1]) -- [hours] since the epoch
    local halfH    = tonumber(ARGV[2]) -- [hours] in which a charge halves
    local most     = tonumber(ARGV[3]) -- fields of one hash; beyond it new digests share fields
    local ttlS     = ARGV[4] -- [seconds] to keep it after the last charge
    -- ARGV[4i + 1] digest of organisation and image i, ARGV[4i + 2] of the image, ARGV[4i + 3] inner, ARGV[4i + 4] outer
    -- returns {inner, outer, inner over all organisations, outer over all, … for each} as texts
    local function fieldOf(key, field)
      if redis.call('HEXISTS', key, field) == 1 or redis.call('HLEN', key) < most then return field end
      return 'more:' .. string.sub(field, 1, 2)
    end
    local function charge(key, name, moreInner, moreOuter)
      local field = fieldOf(key, name)
      local inner, outer, atH = string.match(redis.call('HGET', key, field) or '', '^(%S+) (%S+) (%S+)$')
      local left = inner and 0.5 ^ (math.max(0, nowH - tonumber(atH)) / halfH) or 0
      inner, outer = tonumber(inner or 0) * left + moreInner, tonumber(outer or 0) * left + moreOuter
      if inner + outer < 0.05 then
        redis.call('HDEL', key, field)
      else
        redis.call('HSET', key, field, string.format('%.3f %.3f %d', inner, outer, nowH))
        redis.call('EXPIRE', key, ttlS)
      end
      return inner, outer
    end
    local replies = {}
    for i = 5, #ARGV, 4 do
      local inner, outer = tonumber(ARGV[i + 2]), tonumber(ARGV[i + 3])
      local ownInner, ownOuter = charge(own, ARGV[i], inner, outer)
      local allInner, allOuter = charge(shared, ARGV[i + 1], inner, outer)
      for _, number in ipairs({ ownInner, ownOuter, allInner, allOuter }) do
        replies[#replies + 1] = string.format('%.3f', number)
      end
    end
    return replies`,
} as const
