// Reads what is kept of many images at once: their records, or the points of those that have details.
export const readImages = {
  numberOfKeys: 'some',
  lua: `
local found = {}
for i, shard in ipairs(KEYS) do -- hash of each image: records or points by id
  found[i] = redis.call('HGET', shard, ARGV[i]) -- ARGV: [16 bytes] its id; false, which ends no list here, when there is none
end
return found`,
} as const
