// Reads many images in one call: their records, or the details of those that have any. Ends early when the reply has so many bytes, since a record of a
// video may be a hundred times as long as one of a picture.
export const readImages = {
  numberOfKeys: 'some',
  lua: `
local found = {}
local bytes = 0
local maxBytes = tonumber(ARGV[1]) -- [bytes]
for i, shard in ipairs(KEYS) do -- KEYS[i]: hash: the shard of image i with records or details by id
  local sealed = redis.call('HGET', shard, ARGV[i + 1]) -- ARGV[i + 1]: [16 bytes] its id; false when there is none, which does not end the reply
  found[i] = sealed
  if sealed then bytes = bytes + #sealed end
  if bytes >= maxBytes then break end
end
return found -- of the first images, at least of one`,
} as const
