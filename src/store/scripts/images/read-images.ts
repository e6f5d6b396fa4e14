// Reads many images in one call: their records, or the details of those that have any.
export const readImages = {
  numberOfKeys: 'some',
  lua: `
local found = {}
for i, shard in ipairs(KEYS) do -- KEYS[i]: hash: the shard of image i with records or details by id
  found[i] = redis.call('HGET', shard, ARGV[i]) -- ARGV[i]: [16 bytes] its id; false when there is none, which does not end the reply
end
return found`,
} as const
