// The deadlines of one image, for scripts. `deadlines:<hex>` holds all of them, `deadline-schedule` those that run with the time when each is due,
// and `contact-deadlines:<org>` those that run in cases whose notice names this organisation. The keys have the same hash tag as the declared ones.

/** Lua: `hexOf(id)` returns the bytes of an id as hex. */
export const hexLua = `
    local function hexOf (id)
      return (string.gsub(id, '.', function (c) return string.format('%02x', string.byte(c)) end))
    end`

/** Field of `deadlines:<hex>` with the organisation in whose index the deadlines are. It never collides: names of deadlines contain two bars. */
export const CONTACT_FIELD = 'contact'

/** Lua: `forget_deadlines(tag, hex)` deletes all deadlines of an image that is erased. */
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

/**
 * Lua: `index_deadlines(tag, hex, contact)` moves the running deadlines of an image from the index of the previous contact to that of `contact`,
 * which is `''` for none.
 */
export const indexDeadlinesLua = `
    local function index_deadlines (tag, hex, contact)
      local deadlines = tag .. 'deadlines:' .. hex
      local fields = redis.call('HGETALL', deadlines)
      if #fields == 0 then return end
      local before = redis.call('HGET', deadlines, '${CONTACT_FIELD}')
      for i = 1, #fields, 2 do
        local member = hex .. '|' .. fields[i]
        local runs = fields[i] ~= '${CONTACT_FIELD}' and fields[i + 1] ~= 'stopped'
        if before and before ~= contact then redis.call('SREM', tag .. 'contact-deadlines:' .. before, member) end
        if runs and contact ~= '' then redis.call('SADD', tag .. 'contact-deadlines:' .. contact, member) end
      end
      if contact == '' then redis.call('HDEL', deadlines, '${CONTACT_FIELD}')
      else redis.call('HSET', deadlines, '${CONTACT_FIELD}', contact) end
    end`
