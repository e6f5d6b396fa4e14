import { bankLua } from './organisations/banks.js'
import type { Script } from './script.js'

/**
 * A script that acts only while a bank is the one that was meant, and while a run of an import is the one that holds it: a file may take an
 * hour, in which its bank's name may become another's, or the file may be sent again. It takes two more keys and four more arguments,
 * the last of each. Answers `bank-unknown` or `overtaken` when it did nothing.
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
    local writer   = table.remove(ARGV) -- who has to hold the import, or empty for none
    local bankId   = table.remove(ARGV) -- of the bank, or empty
    local madeAtMs = table.remove(ARGV) -- [epoch ms] when the bank was made
    local name     = table.remove(ARGV) -- of the bank, or empty for one that is always there
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
