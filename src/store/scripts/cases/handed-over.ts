/**
 * Lua: `isHandedOver(case, by)`, whether who acts is the organisation that opened the case and has handed it over since. It may have been
 * let in a moment before the handover, so every script that changes a case asks at the moment of the change.
 */
export const handedOverLua = `
    local function isHandedOver (case, by)
      return by == 'organisation' and redis.call('HEXISTS', case, 'handedOverAtMs') == 1
    end`
