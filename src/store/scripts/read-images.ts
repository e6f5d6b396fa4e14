// Reads the records of many images at once.
export const readImages = {
  numberOfKeys: 'some',
  lua: `
local found = {}
for i, shard in ipairs(KEYS) do -- hash of each image: its records by id
  found[i] = redis.call('HGET', shard, ARGV[i]) -- ARGV: [16 bytes] its id; false, which ends no list here, when there is none
end
return found`,
} as const
