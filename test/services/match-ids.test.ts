import { randomBytes } from 'node:crypto'
import t from 'tap'
import { formatUuid, uuidV7 } from '../../packages/core/src/ids.js'
import { createMatchIds } from '../../src/services/matching/match-ids.js'

const ids = createMatchIds(Buffer.alloc(32, 1))

t.test('a match id leads back to its image for the organisation that received it, and no other', async (t) => {
  for (let i = 0; i < 200; i++) {
    const imageId = i % 2 === 0 ? uuidV7(i, randomBytes(10)) : formatUuid(randomBytes(16))
    const matchId = ids.idFor('a', imageId)
    t.match(matchId, /^[\w-]{43}$/)
    t.equal(ids.imageOf('a', matchId), imageId)
    t.equal(ids.imageOf('b', matchId), undefined)
    t.equal(createMatchIds(Buffer.alloc(32, 2)).imageOf('a', matchId), undefined, 'of another deployment')
    t.equal(ids.idFor('a', imageId), matchId, 'the same each time')
    t.not(ids.idFor('b', imageId), matchId)
  }
})

t.test('a match id with any bit changed is invalid', async (t) => {
  const bytes = Buffer.from(ids.idFor('a', uuidV7(1, randomBytes(10))), 'base64url')
  for (let bit = 0; bit < 256; bit++) {
    const changed = Buffer.from(bytes)
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    t.equal(ids.imageOf('a', changed.toString('base64url')), undefined)
  }
})

t.test('a match id has exactly one text', async (t) => {
  const matchId = ids.idFor('a', uuidV7(1, randomBytes(10)))
  const last = matchId.charCodeAt(42)
  const twin = matchId.slice(0, 42) + String.fromCharCode(last + 1)
  t.same(Buffer.from(twin, 'base64url'), Buffer.from(matchId, 'base64url'), 'the same bytes')
  t.equal(ids.imageOf('a', twin), undefined)
  for (const text of ['', 'x', matchId.slice(1), `${matchId}A`, `${matchId}=`, 'é'.repeat(43)]) {
    t.equal(ids.imageOf('a', text), undefined)
  }
})

t.test('ids of one image for different organisations have nothing in common', async (t) => {
  const imageId = uuidV7(1, randomBytes(10))
  const given = Array.from({ length: 500 }, (_, i) => ids.idFor(`org ${i}`, imageId))
  for (const half of [(id: string) => id.slice(0, 21), (id: string) => id.slice(22)])
    t.equal(new Set(given.map(half)).size, 500)
})
