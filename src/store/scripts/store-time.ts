/** Lua. `store_ms()`: [epoch ms] the store's clock. It may have been ahead before, so a time that a script finds may be in the future. */
export const storeTimeLua = `
    local function store_ms ()
      local time = redis.call('TIME')
      return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
    end`
