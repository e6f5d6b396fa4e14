// Notes in which format the store is written, if nobody did or an older version did. Running it twice changes nothing.
export const agreeFormat = {
  numberOfKeys: 1,
  lua: `
    local format   = KEYS[1] -- hash: written, readableFrom
    local written  = tonumber(ARGV[1])
    local readable = tonumber(ARGV[2])
    -- returns [integer] the format that it is written in, [integer] the oldest version of Tabir's format that can work on it
    local before = tonumber(redis.call('HGET', format, 'written') or '0')
    if before < written then redis.call('HSET', format, 'written', written, 'readableFrom', readable) end
    return {
      tonumber(redis.call('HGET', format, 'written')),
      tonumber(redis.call('HGET', format, 'readableFrom')),
    }`,
} as const
