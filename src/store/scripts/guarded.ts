import { bankLua } from './organisations/banks.js'
import type { Script } from './script.js'

/**
 * Wraps a script so that it acts only while the bank is the intended one and the import is held by this writer. An import may take an hour, in
 * which the bank may be replaced by another of its name, or the same file may be sent again. The wrapped script takes two more keys and four
 * more arguments, each the last of its kind.
 *
 * @returns a script that replies like the wrapped one, or `bank-unknown` or `overtaken` when it did nothing.
 */
export function guarded(script: Script): Script {
  let made = guardedScripts.get(script.lua)
  if (made === undefined) {
    const numberOfKeys = script.numberOfKeys === 'some' ? 'some' : script.numberOfKeys + 2
    made = {
      numberOfKeys,
      lua: `${bankLua}
    local import   = table.remove(KEYS) -- hash: the import
    local banks    = table.remove(KEYS) -- hash: name -> JSON
    local writer   = table.remove(ARGV) -- the writer that has to hold the import, or empty for no check
    local bankId   = table.remove(ARGV) -- of the bank, or empty
    local madeAtMs = table.remove(ARGV) -- [epoch ms] when the bank was created
    local name     = table.remove(ARGV) -- of the bank, or empty for one that always exists
    if name ~= '' then
      local json = redis.call('HGET', banks, name)
      local bank = json and cjson.decode(json)
      if not bank or bank.removedAtMs or not isBank(bank, madeAtMs, bankId) then return 'bank-unknown' end
    end
    if writer ~= '' and redis.call('HGET', import, 'writer') ~= writer then return 'overtaken' end
    local function act () ${script.lua}
    end
    return act()`,
    }
    guardedScripts.set(script.lua, made)
  }
  return made
}
const guardedScripts = new Map<string, Script>()
