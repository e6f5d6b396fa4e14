// Records the format of the store, unless an equal or newer one is recorded. Idempotent.
export const agreeFormat = {
  numberOfKeys: 1,
  lua: `
    local format   = KEYS[1] -- hash: written, readableFrom
    local written  = tonumber(ARGV[1])
    local readable = tonumber(ARGV[2])
    -- returns {[integer] the recorded format, [integer] the oldest format that a version of Tabir may know and still use the store}
    local before = tonumber(redis.call('HGET', format, 'written') or '0')
    if before < written then redis.call('HSET', format, 'written', written, 'readableFrom', readable) end
    return {
      tonumber(redis.call('HGET', format, 'written')),
      tonumber(redis.call('HGET', format, 'readableFrom')),
    }`,
} as const
