// Adds the uses that one process counted to the shared counters. A counter expires some time after its window.
export const countUses = {
  numberOfKeys: 'some',
  lua: `
    -- KEYS[i]: string: [integer] uses of one limit in one window
    -- ARGV[2i - 1]: [integer] how many to add; ARGV[2i]: [seconds] until the counter expires
    -- returns {[integer], …} the new counts, in the order of the keys
    local totals = {}
    for i, key in ipairs(KEYS) do
      totals[i] = redis.call('INCRBY', key, ARGV[2 * i - 1])
      redis.call('EXPIRE', key, ARGV[2 * i])
    end
    return totals`,
} as const
