// How a script tells every index of a change. The stream holds ids, never bits: forgetting must stay possible.
//
// Each entry carries a chain: the digest of the entry before it, then its own, made of that digest, the time and what changed. A failover may
// lose the newest entries, and their numbers are then given a second time: an equal number proves nothing. An equal digest proves that every
// entry up to it is the same.
//
// `of`: what changed where the bits did not. `by`: random bytes by which its writer knows the change.

/** `origin(revision)`: the digest where the stream has no entry of it. `chainOf(entry)`: of an entry as XRANGE gives it: revision, before, digest. */
const chainLua = `
    local function origin (revision) return string.format('%032d', revision) end
    local function chainOf (entry)
      local revision = tonumber(string.match(entry[1], '^%d+'))
      local fields = entry[2]
      if fields[5] ~= 'chain' then return revision, origin(revision - 1), origin(revision) end
      return revision, string.sub(fields[6], 1, 32), string.sub(fields[6], 33)
    end`

/** `announced` is what the reply is told with: see announcing. */
export const announceLua = `${chainLua}
    local function announce (revisionKey, changesKey, op, ids, of, by)
      local revision = redis.call('INCR', revisionKey)
      local last = redis.call('XREVRANGE', changesKey, '+', '-', 'COUNT', 1)[1]
      local before = origin(revision - 1)
      if last then
        local at, _, digest = chainOf(last)
        -- Only a restore skips numbers. Where any others are missing, so are changes.
        if at == revision - 1 or op == 'restored' then before = digest end
      end
      local time = redis.call('TIME')
      local digest = string.sub(redis.sha1hex(before .. time[1] .. ' ' .. time[2] .. op .. ids), 1, 32)
      local entry = { 'op', op, 'ids', ids, 'chain', before .. digest }
      if of then entry[7] = 'of'; entry[8] = of end
      if by and by ~= '' then entry[7] = 'by'; entry[8] = by end
      redis.call('XADD', changesKey, 'MAXLEN', '~', 1000000, revision .. '-0', unpack(entry))
      announced = { changesKey, revision, digest }
      return revision
    end`

/** @returns a script that replies with what it announced last, if anything, and then with its own reply. */
export function announcing(lua: string): string {
  return `local announced; local function run () ${lua}\n end local reply = run() return { announced or '', reply }`
}

// Where the stream is.
export const readPosition = {
  numberOfKeys: 2,
  lua: `${chainLua}
    local revision = KEYS[1]
    local changes  = KEYS[2]
    local at       = ARGV[1] -- [integer] a revision, or nothing for the last
    -- returns {[integer] revision, digest}, or nil when the stream has forgotten that revision, or never had it
    local last = tonumber(redis.call('GET', revision) or '0')
    if redis.call('EXISTS', changes) == 0 or redis.call('XLEN', changes) == 0 then
      if at == '' or tonumber(at) == last then return { last, origin(last) } end
      return nil
    end
    if at == '' then
      local found, _, digest = chainOf(redis.call('XREVRANGE', changes, '+', '-', 'COUNT', 1)[1])
      return { found, digest }
    end
    local next = redis.call('XRANGE', changes, at .. '-0', '+', 'COUNT', 1)[1]
    if not next then return nil end
    local found, before, digest = chainOf(next)
    if found == tonumber(at) then return { found, digest } end
    if found == tonumber(at) + 1 then return { found - 1, before } end
    return nil`,
} as const
