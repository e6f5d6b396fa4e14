import type { Script } from './script.js'

// Numbers an entry in the step that notes it, so that one which is taken out before it is chained leaves a gap. The counter's key carries the list's
// hash tag.
const noteLua = `
    local function noteAct (due, entry)
      local act = redis.call('INCR', due .. '-count') -- [integer] how many acts were noted
      redis.call('RPUSH', due, string.format('%d %s', act, entry))
      return act
    end`

/**
 * A script that, when it did something, also notes an audit entry, in the same step. It takes one more key and one more
 * argument, the last of each: the list of what waits to be chained, and the entry. It did nothing when it answers nil, -1, or
 * with what `auditedIf` does not accept. It answers with the number of the act, 0 for none, and then with its own answer, if any.
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

// Notes what was done elsewhere, once for each `once` that is given.
export const noteAudit = {
  numberOfKeys: 2,
  lua: `${noteLua}
    local due   = KEYS[1] -- list: entries that wait to be chained
    local once  = KEYS[2] -- string: that it was noted
    local entry = ARGV[1] -- the entry's text
    local ttlS  = ARGV[2] -- [seconds] for which it is not noted again, 0 for always
    -- returns [integer] the number of the act, or nil when it was noted before
    if ttlS ~= '0' and not redis.call('SET', once, '1', 'NX', 'EX', ttlS) then return nil end
    return noteAct(due, entry)`,
} as const

// Removes the oldest entries, unless another process was faster: then the cut is another one.
export const trimAudit = {
  numberOfKeys: 2,
  lua: `
    local audit = KEYS[1] -- stream: the chain
    local cut   = KEYS[2] -- string: the last entry that was removed
    local from  = ARGV[1] -- the cut that was read, empty for none
    local to    = ARGV[2] -- the cut after this
    local first = ARGV[3] -- number of the first entry that stays
    -- returns [integer] how many were removed, or nil when another was faster
    if (redis.call('GET', cut) or '') ~= from then return nil end
    redis.call('SET', cut, to)
    return redis.call('XTRIM', audit, 'MINID', string.format('%s-0', first))`,
} as const

// Moves entries that wait to the end of the chain, unless another process was faster: then the head is another one.
export const chainAudit = {
  numberOfKeys: 3,
  lua: `
    local due   = KEYS[1] -- list: entries that wait to be chained
    local audit = KEYS[2] -- stream: the chain
    local head  = KEYS[3] -- string: which entry is the last
    local from  = ARGV[1] -- the head that was read, empty for none
    local to    = ARGV[2] -- the head after these
    local first = tonumber(ARGV[3]) -- number of the first of these
    -- ARGV[4…]: the entry's text, its MAC, the next entry's text, …
    -- returns 1, or nil when another was faster
    if (redis.call('GET', head) or '') ~= from then return nil end
    local count = (#ARGV - 3) / 2
    for i = 0, count - 1 do
      redis.call('XADD', audit, string.format('%d-0', first + i), 'entry', ARGV[4 + 2 * i], 'mac', ARGV[5 + 2 * i])
    end
    redis.call('LTRIM', due, count, -1)
    redis.call('SET', head, to)
    return 1`,
} as const

// What has been chained, what waits and how many acts there were, all of one moment.
export const auditState = {
  numberOfKeys: 3,
  lua: `
    local due   = KEYS[1] -- list: entries that wait to be chained
    local audit = KEYS[2] -- stream: the chain
    local cut   = KEYS[3] -- string: the last entry that was removed
    -- returns how many acts were noted; the last entry of the chain, empty for none, or trimmed when all were; the first and the last
    -- that wait, or empty; how many wait
    local last = redis.call('XREVRANGE', audit, '+', '-', 'COUNT', 1)
    local entry = last[1] and last[1][2][2] or (redis.call('EXISTS', cut) == 1 and 'trimmed' or '')
    local function waiting (at) return redis.call('LINDEX', due, at) or '' end
    return { redis.call('GET', due .. '-count') or '0', entry, waiting(0), waiting(-1), redis.call('LLEN', due) }`,
} as const
