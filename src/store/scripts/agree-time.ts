import { storeTimeLua } from './store-time.js'

// Records the store's clock, and returns the time that the store and the caller agree on and how long the store's clock has not jumped.
export const agreeTime = {
  numberOfKeys: 1,
  lua: `${storeTimeLua}
    local seen      = KEYS[1] -- hash: atMs, the store's clock at the last call; steadyFromMs, since when it has not jumped
    local ownMs     = tonumber(ARGV[1]) -- [epoch ms] the caller's clock
    local maxStepMs = tonumber(ARGV[2]) -- [ms] a larger step between two calls counts as a jump
    -- returns {[epoch ms] the earlier of both clocks, [epoch ms] the store's clock, [ms] time since its last jump, or -1 when it never jumped}
    local storeMs = store_ms()
    local last = tonumber(redis.call('HGET', seen, 'atMs') or storeMs)
    if math.abs(storeMs - last) > maxStepMs then redis.call('HSET', seen, 'steadyFromMs', string.format('%d', storeMs)) end
    redis.call('HSET', seen, 'atMs', string.format('%d', storeMs))
    local steadyFrom = redis.call('HGET', seen, 'steadyFromMs')
    return { math.min(ownMs, storeMs), storeMs, steadyFrom and math.max(0, storeMs - tonumber(steadyFrom)) or -1 }`,
} as const
