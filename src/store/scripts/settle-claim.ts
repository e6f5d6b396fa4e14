// Puts an answer in the place of a claim, or removes the claim. Whatever else stands there stays.
export const settleClaim = {
  numberOfKeys: 1,
  lua: `
    local place = KEYS[1] -- string: a claim, or an answer
    local claim = ARGV[1] -- ours
    local answer = ARGV[2] -- sealed, or empty for none
    local ttlMs = ARGV[3] -- [ms]
    local there = redis.call('GET', place)
    if there and there ~= claim then return 0 end
    if answer == '' then redis.call('DEL', place) else redis.call('SET', place, answer, 'PX', ttlMs) end
    return 1`,
} as const
