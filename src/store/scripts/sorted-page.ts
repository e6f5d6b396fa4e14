// Reads pages of sorted sets. Scores stay text, as Redis writes them: Lua would round large ones.

/**
 * Lua. `isBefore(a, b)` compares members byte by byte, as Redis sorts them; Lua's `<` follows the server's locale. `rankAfter(all, score,
 * member)` counts the entries at or before this score and member, also when that entry was removed.
 */
const placesLua = `
    local function isBefore (a, b)
      for i = 1, math.min(#a, #b) do
        local x, y = string.byte(a, i), string.byte(b, i)
        if x ~= y then return x < y end
      end
      return #a < #b
    end
    local function rankAfter (all, score, member)
      local low = redis.call('ZCOUNT', all, '-inf', '(' .. score)
      local high = low + redis.call('ZCOUNT', all, score, score)
      while low < high do
        local middle = math.floor((low + high) / 2)
        if isBefore(member, redis.call('ZRANGE', all, middle, middle)[1]) then high = middle else low = middle + 1 end
      end
      return low
    end`

// A page of a sorted set. Each entry appears once, also when many have the same score or entries are added or removed between two pages.
export const sortedPage = `${placesLua}
    local all    = KEYS[1] -- sorted set
    local order  = ARGV[1] -- first: the lowest first; last: the highest first
    local from   = ARGV[2] -- score at which the list begins, in the form of ZRANGEBYSCORE
    local to     = ARGV[3] -- score at which the list ends
    local limit  = tonumber(ARGV[4])
    local score  = ARGV[5] -- of the last entry of the page before, or empty
    local member = ARGV[6]
    -- returns {member, score, …}
    if score == '' then
      if order == 'first' then return redis.call('ZRANGEBYSCORE', all, from, to, 'WITHSCORES', 'LIMIT', 0, limit) end
      return redis.call('ZREVRANGEBYSCORE', all, from, to, 'WITHSCORES', 'LIMIT', 0, limit)
    end
    local rank = rankAfter(all, score, member)
    local page
    if order == 'first' then
      rank = math.max(rank, redis.call('ZCARD', all) - redis.call('ZCOUNT', all, from, '+inf'))
      page = redis.call('ZRANGE', all, rank, rank + limit - 1, 'WITHSCORES')
    else
      -- The entry at the cursor was on the page before.
      if redis.call('ZRANK', all, member) == rank - 1 then rank = rank - 1 end
      rank = math.min(rank, redis.call('ZCOUNT', all, '-inf', from))
      local behind = redis.call('ZCARD', all) - rank
      page = redis.call('ZREVRANGE', all, behind, behind + limit - 1, 'WITHSCORES')
    end
    -- How many entries of the page are inside the end of the list.
    local within
    if order == 'first' then within = redis.call('ZCOUNT', all, '-inf', to) - rank
    else within = rank - (redis.call('ZCARD', all) - redis.call('ZCOUNT', all, to, '+inf')) end
    for i = #page, 1, -1 do
      if i > 2 * within then page[i] = nil end
    end
    return page`

// The same, lowest score first, of the members that are also in a set, for example the index of one organisation.
export const sortedPageAmong = `${placesLua}
    local all    = KEYS[1] -- sorted set
    local among  = KEYS[2] -- set: members
    local to     = tonumber(ARGV[1]) -- score at which the list ends
    local limit  = tonumber(ARGV[2])
    local score  = ARGV[3] -- of the last entry of the page before, or empty
    local member = ARGV[4]
    -- returns {member, score, …}
    local found = redis.call('ZINTER', 2, all, among, 'WEIGHTS', 1, 0, 'WITHSCORES')
    local page = {}
    for i = 1, #found, 2 do
      local at = tonumber(found[i + 1])
      if at > to or #page >= 2 * limit then break end
      local isBehind = score == '' or at > tonumber(score) or (at == tonumber(score) and isBefore(member, found[i]))
      if isBehind then
        page[#page + 1] = found[i]
        page[#page + 1] = found[i + 1]
      end
    end
    return page`
