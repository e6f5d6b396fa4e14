// The clocks of one image, for scripts: `clocks:<hex>` has them all, `clock-dues` those that run, and `contact-clocks:<org>` those that run in
// cases whose notice names an organisation. When a clock is due stands in `clock-dues` alone. The keys carry the same hash tag as the declared ones.

/** `hexOf(id)` */
export const hexLua = `
    local function hexOf (id)
      return (string.gsub(id, '.', function (c) return string.format('%02x', string.byte(c)) end))
    end`

/** Field of `clocks:<hex>` with the organisation in whose index the clocks are. No clock has this name: theirs have two bars. */
export const CONTACT_FIELD = 'contact'

/** `forget_clocks(tag, hex)`: all of an image that is erased. */
export const forgetClocksLua = `
    local function forget_clocks (tag, hex)
      local clocks = tag .. 'clocks:' .. hex
      local contact = redis.call('HGET', clocks, '${CONTACT_FIELD}')
      for _, clock in ipairs(redis.call('HKEYS', clocks)) do
        redis.call('ZREM', tag .. 'clock-dues', hex .. '|' .. clock)
        if contact then redis.call('SREM', tag .. 'contact-clocks:' .. contact, hex .. '|' .. clock) end
      end
      redis.call('DEL', clocks)
    end`

/** `index_clocks(tag, hex, contact)`: those that run go from the index of the contact before into that of the one now; `''` for none. */
export const indexClocksLua = `
    local function index_clocks (tag, hex, contact)
      local clocks = tag .. 'clocks:' .. hex
      local all = redis.call('HGETALL', clocks)
      if #all == 0 then return end
      local before = redis.call('HGET', clocks, '${CONTACT_FIELD}')
      for i = 1, #all, 2 do
        local member = hex .. '|' .. all[i]
        local runs = all[i] ~= '${CONTACT_FIELD}' and all[i + 1] ~= 'stopped'
        if before and before ~= contact then redis.call('SREM', tag .. 'contact-clocks:' .. before, member) end
        if runs and contact ~= '' then redis.call('SADD', tag .. 'contact-clocks:' .. contact, member) end
      end
      if contact == '' then redis.call('HDEL', clocks, '${CONTACT_FIELD}')
      else redis.call('HSET', clocks, '${CONTACT_FIELD}', contact) end
    end`
