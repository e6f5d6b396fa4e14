// Which shards of a table have entries. The keys that are read have the hash tag of the declared one.

const filled = (table: string) => `
local prefix = KEYS[1]
local shards = {}
for shard = tonumber(ARGV[1]), tonumber(ARGV[2]) do -- the first and the last that are looked at
  if redis.call('EXISTS', prefix .. '${table}:' .. shard) == 1 then shards[#shards + 1] = shard end
end
return shards`

export const filledImageShards = { numberOfKeys: 1, lua: filled('images') } as const
export const filledWatchShards = { numberOfKeys: 1, lua: filled('watches') } as const
