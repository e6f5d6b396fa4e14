// Replaces a claim by its answer, renews it by itself, or removes it. Anything but this claim at the key is left as it is.
export const settleClaim = {
  numberOfKeys: 1,
  lua: `
    local place = KEYS[1] -- string: a claim, or an answer
    local claim = ARGV[1] -- the caller's
    local answer = ARGV[2] -- sealed; or the claim again, to renew it; or empty for none
    local ttlMs = ARGV[3] -- [ms]; how long it is kept
    local found = redis.call('GET', place)
    if found and found ~= claim then return 0 end
    if answer == '' then redis.call('DEL', place) else redis.call('SET', place, answer, 'PX', ttlMs) end
    return 1`,
} as const
