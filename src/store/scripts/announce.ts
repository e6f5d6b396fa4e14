// How a script tells every index of a change. Revisions have no gaps, so a reader that misses one knows.
// The stream remembers ids, never bits: forgetting must stay possible.
export const announceLua = `
    local function announce (revisionKey, changesKey, op, ids)
      local revision = redis.call('INCR', revisionKey)
      redis.call('XADD', changesKey, 'MAXLEN', '~', 1000000, revision .. '-0', 'op', op, 'ids', ids)
      return revision
    end`
