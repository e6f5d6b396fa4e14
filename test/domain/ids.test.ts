import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { formatUuid, parseUuid, uuidV7 } from '../../packages/core/src/ids.js'

t.test('an id is a UUIDv7 that sorts by time and is restored from its bytes', async () => {
  const random = fc.uint8Array({ minLength: 10, maxLength: 10 })
  fc.assert(
    fc.property(fc.nat({ max: 2 ** 31 }), random, random, (seconds, one, other) => {
      const id = uuidV7(seconds * 1000, one)
      assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
      assert.ok(id < uuidV7(seconds * 1000 + 1, other))
      const bytes = parseUuid(id)
      assert.ok(bytes !== undefined)
      assert.equal(formatUuid(bytes), id)
    }),
  )
})

t.test('a text other than a lowercase UUID is rejected', async (t) => {
  for (const text of [
    '',
    'x',
    '0'.repeat(36),
    '01890a5d-ac96-774b-bcce-b302099a805',
    '01890A5D-AC96-774B-BCCE-B302099A8057',
  ]) {
    t.equal(parseUuid(text), undefined)
  }
})
