// Adds what one process has counted to what all have counted. A counter ends by itself, some time after its window.
export const countUses = {
  numberOfKeys: 'some',
  lua: `
    -- KEYS[i]: string: [integer] uses of one limit in one window
    -- ARGV[2i - 1]: [integer] how many more; ARGV[2i]: [seconds] until the counter may go
    -- returns {[integer], …} how many there are now, in the order of the keys
    local totals = {}
    for i, key in ipairs(KEYS) do
      totals[i] = redis.call('INCRBY', key, ARGV[2 * i - 1])
      redis.call('EXPIRE', key, ARGV[2 * i])
    end
    return totals`,
} as const
