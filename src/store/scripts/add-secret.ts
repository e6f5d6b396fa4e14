// Stores a secret unless another process stored one first. Idempotent.
export const addSecret = {
  numberOfKeys: 1,
  lua: `
    local secrets = KEYS[1] -- hash: name -> sealed bytes
    local name    = ARGV[1]
    local sealed  = ARGV[2]
    redis.call('HSETNX', secrets, name, sealed)
    return redis.call('HGET', secrets, name) -- the one that counts`,
} as const
