import type { Script } from './script.js'

// Numbers an entry in the step that notes it: an entry that is removed before it is chained leaves a gap. The counter's key has the hash tag
// of the list's key.
const noteLua = `
    local function noteAct (due, entry)
      local act = redis.call('INCR', due .. '-count') -- [integer] how many acts were noted
      redis.call('RPUSH', due, string.format('%d %s', act, entry))
      return act
    end`

/**
 * Wraps a script so that it also notes an audit entry, in the same step, when it did something. The wrapped script takes one more key (the
 * list of entries that wait to be chained) and one more argument (the entry), each the last of its kind. A script did nothing when it
 * returns nil or -1, or when the Lua condition `auditedIf` on its `reply` is false.
 *
 * @returns a script that replies {[integer] number of the act, 0 for none, the script's own reply}.
 */
export function audited(script: Script, auditedIf = 'true'): Script {
  const id = `${auditedIf}\0${script.lua}`
  let made = auditedScripts.get(id)
  if (made === undefined) {
    const numberOfKeys = script.numberOfKeys === 'some' ? 'some' : script.numberOfKeys + 1
    made = {
      numberOfKeys,
      lua: `${noteLua}
    local due   = table.remove(KEYS) -- list: entries that wait to be chained
    local entry = table.remove(ARGV) -- the entry's text
    local function act () ${script.lua}
    end
    local reply = act()
    if reply and reply ~= -1 and (${auditedIf}) then return { noteAct(due, entry), reply } end
    return { 0, reply }`,
    }
    auditedScripts.set(id, made)
  }
  return made
}
const auditedScripts = new Map<string, Script>()

// Notes an act that happened elsewhere, once for each `once` key.
export const noteAudit = {
  numberOfKeys: 2,
  lua: `${noteLua}
    local due   = KEYS[1] -- list: entries that wait to be chained
    local once  = KEYS[2] -- string: set once the act was noted
    local entry = ARGV[1] -- the entry's text
    local ttlS  = ARGV[2] -- [seconds] during which it is not noted again; 0: no check
    -- returns [integer] the number of the act, or nil when it was already noted
    if ttlS ~= '0' and not redis.call('SET', once, '1', 'NX', 'EX', ttlS) then return nil end
    return noteAct(due, entry)`,
} as const

// Removes the oldest entries, unless another process cut the chain since it was read.
export const trimAudit = {
  numberOfKeys: 2,
  lua: `
    local audit = KEYS[1] -- stream: the chain
    local cut   = KEYS[2] -- string: the last entry that was removed
    local from  = ARGV[1] -- the cut that was read, empty for none
    local to    = ARGV[2] -- the cut after this call
    local first = ARGV[3] -- number of the first entry that is kept
    -- returns [integer] how many were removed, or nil when another process was first
    if (redis.call('GET', cut) or '') ~= from then return nil end
    redis.call('SET', cut, to)
    return redis.call('XTRIM', audit, 'MINID', string.format('%s-0', first))`,
} as const

// Moves waiting entries to the end of the chain, unless another process moved the head since it was read.
export const chainAudit = {
  numberOfKeys: 3,
  lua: `
    local due   = KEYS[1] -- list: entries that wait to be chained
    local audit = KEYS[2] -- stream: the chain
    local head  = KEYS[3] -- string: the last entry of the chain
    local from  = ARGV[1] -- the head that was read, empty for none
    local to    = ARGV[2] -- the head after this call
    local first = tonumber(ARGV[3]) -- number of the first entry to append
    -- ARGV[4…]: the entry's text, its MAC, the next entry's text, …
    -- returns 1, or nil when another process was first
    if (redis.call('GET', head) or '') ~= from then return nil end
    local count = (#ARGV - 3) / 2
    for i = 0, count - 1 do
      redis.call('XADD', audit, string.format('%d-0', first + i), 'entry', ARGV[4 + 2 * i], 'mac', ARGV[5 + 2 * i])
    end
    redis.call('LTRIM', due, count, -1)
    redis.call('SET', head, to)
    return 1`,
} as const

// Reads what is chained, what waits and how many acts there were, in one step.
export const auditState = {
  numberOfKeys: 3,
  lua: `
    local due   = KEYS[1] -- list: entries that wait to be chained
    local audit = KEYS[2] -- stream: the chain
    local cut   = KEYS[3] -- string: the last entry that was removed
    -- returns {how many acts were noted; the last entry of the chain, '' for none, 'trimmed' when all were removed; the first and the last
    -- waiting entry, or ''; how many wait}
    local last = redis.call('XREVRANGE', audit, '+', '-', 'COUNT', 1)
    local entry = last[1] and last[1][2][2] or (redis.call('EXISTS', cut) == 1 and 'trimmed' or '')
    local function waiting (at) return redis.call('LINDEX', due, at) or '' end
    return { redis.call('GET', due .. '-count') or '0', entry, waiting(0), waiting(-1), redis.call('LLEN', due) }`,
} as const
