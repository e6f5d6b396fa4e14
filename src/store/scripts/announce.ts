// How a script tells every index of a change. Revisions have no gaps, so a reader that misses one knows.
// The stream remembers ids, never bits: forgetting must stay possible.
// A change of an image that leaves its bits alone says `of`; a version that does not know the field reads the whole image again.
export const announceLua = `
    local function announce (revisionKey, changesKey, op, ids, of)
      local revision = redis.call('INCR', revisionKey)
      local entry = { 'op', op, 'ids', ids }
      if of then entry[5] = 'of'; entry[6] = of end
      redis.call('XADD', changesKey, 'MAXLEN', '~', 1000000, revision .. '-0', unpack(entry))
      return revision
    end`
