// How a script announces a change to every replica. The change stream holds ids and never hashes, so that erased hashes are erased.
//
// Each entry carries a chain: the digest of the previous entry, then its own digest, made from the previous one, the time and the change. A
// failover may lose the newest entries and reuse their revisions, so an equal revision proves nothing. An equal digest proves that all
// entries up to it are the same. A digest has 16 bytes in the stream and 32 hex digits elsewhere: an entry then takes 81 bytes in place of 130.
//
// `of` says what changed when the hashes did not. `by` holds random bytes by which the writer recognises its own change.

/**
 * Lua. `bytesOf(digits)`: the bytes of hex digits. `origin(revision)`: the digest [bytes] to use where the stream has no entry of that revision.
 * `chainOf(entry)`: revision, previous digest and own digest [bytes] of an entry as XRANGE returns it.
 */
const chainLua = `
    local function bytesOf (digits)
      return (string.gsub(digits, '..', function (byte) return string.char(tonumber(byte, 16)) end))
    end
    local function origin (revision) return bytesOf(string.format('%032d', revision)) end
    local function chainOf (entry)
      local revision = tonumber(string.match(entry[1], '^%d+'))
      local fields = entry[2]
      if fields[5] ~= 'chain' then return revision, origin(revision - 1), origin(revision) end
      return revision, string.sub(fields[6], 1, 16), string.sub(fields[6], 17)
    end`

/**
 * Lua: `announce(revisionKey, changesKey, op, ids, of, by)` takes the next revision, appends to the change stream and returns the revision. It
 * also sets `announced`, which `announcing` adds to the reply.
 */
export const announceLua = `${chainLua}
    local function announce (revisionKey, changesKey, op, ids, of, by)
      local revision = redis.call('INCR', revisionKey)
      local last = redis.call('XREVRANGE', changesKey, '+', '-', 'COUNT', 1)[1]
      local before
      if last then
        local at, _, digest = chainOf(last)
        -- Only a restore skips revisions. Any other gap means that changes are missing.
        if at == revision - 1 or op == 'restored' then before = digest end
      end
      before = before or origin(revision - 1)
      local time = redis.call('TIME')
      local digest = string.sub(redis.sha1hex(before .. time[1] .. ' ' .. time[2] .. op .. ids), 1, 32)
      local entry = { 'op', op, 'ids', ids, 'chain', before .. bytesOf(digest) }
      if of then entry[7] = 'of'; entry[8] = of end
      if by and by ~= '' then entry[7] = 'by'; entry[8] = by end
      redis.call('XADD', changesKey, 'MAXLEN', '~', 1000000, revision .. '-0', unpack(entry))
      announced = { changesKey, revision, digest }
      return revision
    end`

/** @returns a script that replies {what it announced last or '', its own reply}. */
export function announcing(lua: string): string {
  return `local announced; local function run () ${lua}\n end local reply = run() return { announced or '', reply }`
}

// Reads the position of the change stream: its last revision and digest, or the digest at an earlier revision.
export const readPosition = {
  numberOfKeys: 2,
  lua: `${chainLua}
    local function digitsOf (bytes)
      return (string.gsub(bytes, '.', function (byte) return string.format('%02x', string.byte(byte)) end))
    end
    local revision = KEYS[1]
    local changes  = KEYS[2]
    local at       = ARGV[1] -- [integer] a revision, or empty for the last
    -- returns {[integer] revision, digest [hex]}, or nil when the stream no longer has that revision or never had it
    local last = tonumber(redis.call('GET', revision) or '0')
    if redis.call('EXISTS', changes) == 0 or redis.call('XLEN', changes) == 0 then
      if at == '' or tonumber(at) == last then return { last, digitsOf(origin(last)) } end
      return nil
    end
    if at == '' then
      local found, _, digest = chainOf(redis.call('XREVRANGE', changes, '+', '-', 'COUNT', 1)[1])
      return { found, digitsOf(digest) }
    end
    local next = redis.call('XRANGE', changes, at .. '-0', '+', 'COUNT', 1)[1]
    if not next then return nil end
    local found, before, digest = chainOf(next)
    if found == tonumber(at) then return { found, digitsOf(digest) } end
    if found == tonumber(at) + 1 then return { found - 1, digitsOf(before) } end
    return nil`,
} as const
