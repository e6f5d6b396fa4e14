// The index of the cases that an organisation assists: it opened the case, or the case's notice names it as contact. The keys have the same
// hash tag as the declared ones.

/**
 * Lua. `add_assisted(case, org, atMs)` adds a case to the index; `remove_assisted_of(case, org)` removes it; `contact_of(case)` returns the contact of its
 * notice; `remove_assisted(case)` removes an ending case from the index of both, before its notice is deleted.
 */
export const assistedLua = `
    local function assisting (case, org)
      local prefix, caseId = string.match(case, '^(.*:)case:(.*)$')
      return prefix .. 'assisted:' .. org, caseId
    end
    local function add_assisted (case, org, atMs)
      local assisted, caseId = assisting(case, org)
      redis.call('ZADD', assisted, 'NX', atMs, caseId)
    end
    local function remove_assisted_of (case, org)
      if org then redis.call('ZREM', assisting(case, org)) end
    end
    local function contact_of (case)
      local notice = redis.call('GET', case .. ':notice')
      return notice and cjson.decode(notice).contactOrgId
    end
    local function remove_assisted (case)
      remove_assisted_of(case, redis.call('HGET', case, 'orgId'))
      remove_assisted_of(case, contact_of(case))
    end`
