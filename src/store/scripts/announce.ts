// How a script tells every index of a change. Revisions have no gaps, so a reader that misses one knows.
// The stream remembers ids, never bits: forgetting must stay possible.
// A change of an image that leaves its bits alone says `of`; a version that does not know the field reads the whole image again. `by` is
// what its writer knows it by, and nothing to anybody else: bytes that he drew.
export const announceLua = `
    local function announce (revisionKey, changesKey, op, ids, of, by)
      local revision = redis.call('INCR', revisionKey)
      local entry = { 'op', op, 'ids', ids }
      if of then entry[5] = 'of'; entry[6] = of end
      if by and by ~= '' then entry[5] = 'by'; entry[6] = by end
      redis.call('XADD', changesKey, 'MAXLEN', '~', 1000000, revision .. '-0', unpack(entry))
      return revision
    end`
