// Notes the store's time, says since when it has gone on without a jump, and what time the store and a caller agree on.
export const agreeTime = {
  numberOfKeys: 1,
  lua: `
    local seen      = KEYS[1] -- hash: atMs, the store's time at the last call; steadyFromMs, since when it has not jumped
    local ownMs     = tonumber(ARGV[1]) -- [epoch ms] the caller's clock
    local maxStepMs = tonumber(ARGV[2]) -- [ms] between two calls, more of which is a jump
    -- returns {[epoch ms] the earlier of both clocks, [epoch ms] the store's, [ms] since when it goes on without a jump, or -1 when it never jumped}
    local time = redis.call('TIME')
    local storeMs = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
    local last = tonumber(redis.call('HGET', seen, 'atMs') or storeMs)
    if math.abs(storeMs - last) > maxStepMs then redis.call('HSET', seen, 'steadyFromMs', string.format('%d', storeMs)) end
    redis.call('HSET', seen, 'atMs', string.format('%d', storeMs))
    local steadyFrom = redis.call('HGET', seen, 'steadyFromMs')
    return { math.min(ownMs, storeMs), storeMs, steadyFrom and math.max(0, storeMs - tonumber(steadyFrom)) or -1 }`,
} as const
