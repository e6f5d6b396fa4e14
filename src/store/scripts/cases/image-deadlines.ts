// The deadlines of one image, for scripts: `deadlines:<hex>` has them all, `deadline-schedule` those that run, and `contact-deadlines:<org>` those that run in
// cases whose notice names an organisation. When a deadline is due stands in `deadline-schedule` alone. The keys carry the same hash tag as the declared ones.

/** `hexOf(id)` */
export const hexLua = `
    local function hexOf (id)
      return (string.gsub(id, '.', function (c) return string.format('%02x', string.byte(c)) end))
    end`

/** Field of `deadlines:<hex>` with the organisation in whose index the deadlines are. No deadline has this name: theirs have two bars. */
export const CONTACT_FIELD = 'contact'

/** `forget_deadlines(tag, hex)`: all of an image that is erased. */
export const forgetDeadlinesLua = `
    local function forget_deadlines (tag, hex)
      local deadlines = tag .. 'deadlines:' .. hex
      local contact = redis.call('HGET', deadlines, '${CONTACT_FIELD}')
      for _, deadline in ipairs(redis.call('HKEYS', deadlines)) do
        redis.call('ZREM', tag .. 'deadline-schedule', hex .. '|' .. deadline)
        if contact then redis.call('SREM', tag .. 'contact-deadlines:' .. contact, hex .. '|' .. deadline) end
      end
      redis.call('DEL', deadlines)
    end`

/** `index_deadlines(tag, hex, contact)`: those that run go from the index of the contact before into that of the one now; `''` for none. */
export const indexDeadlinesLua = `
    local function index_deadlines (tag, hex, contact)
      local deadlines = tag .. 'deadlines:' .. hex
      local all = redis.call('HGETALL', deadlines)
      if #all == 0 then return end
      local before = redis.call('HGET', deadlines, '${CONTACT_FIELD}')
      for i = 1, #all, 2 do
        local member = hex .. '|' .. all[i]
        local runs = all[i] ~= '${CONTACT_FIELD}' and all[i + 1] ~= 'stopped'
        if before and before ~= contact then redis.call('SREM', tag .. 'contact-deadlines:' .. before, member) end
        if runs and contact ~= '' then redis.call('SADD', tag .. 'contact-deadlines:' .. contact, member) end
      end
      if contact == '' then redis.call('HDEL', deadlines, '${CONTACT_FIELD}')
      else redis.call('HSET', deadlines, '${CONTACT_FIELD}', contact) end
    end`
