/**
 * Lua: `isHandedOver(case, by)` returns whether the caller is the organisation that opened the case and it has handed the case over. The handover
 * may happen between authentication and the write, so every script that changes a case checks it.
 */
export const handedOverLua = `
    local function isHandedOver (case, by)
      return by == 'organisation' and redis.call('HEXISTS', case, 'handedOverAtMs') == 1
    end`
