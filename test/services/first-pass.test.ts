// A picture with many views is searched in two passes. The first may miss a pair beyond 31 bits; every image that
// it finds is judged by all near rows.

import { randomBytes } from 'node:crypto'
import { t } from 'tap'
import { distance, type Hash256, hashFromBytes } from '../../packages/hash/src/hash256.js'
import { uuidV7 } from '../../src/domain/ids.js'
import type { HashedSignal } from '../../src/domain/matching/hashed-image.js'
import type { Signal } from '../../src/domain/matching/signal.js'
import { Catalogue } from '../../src/services/index/catalogue.js'
import { firstPassOf } from '../../src/services/matching/batch-search.js'
import { rotated } from '../../src/services/matching/orientations.js'
import { bareMatcher } from '../helpers/bare-matcher.js'
import { imageOf } from '../helpers/registered-image.js'
import { seeded } from '../search/rows.js'

const BANDS = 16
const MANY = 10
const ASKING = { orgId: 'org', banks: undefined, thresholdBits: undefined }

const catalogue = new Catalogue()
// The id of an image is the id of its match.
const matcher = bareMatcher({
  replica: { catalogue },
  matchIds: { idFor: (_, imageId) => imageId, imageOf: () => undefined },
})
// With fewer rows a search reads all of them and misses nothing.
for (let image = 0; image < 1500; image++) put(Array.from({ length: 30 }, (_, row) => seeded(100_000 + 30 * image + row)))

const [asked, other] = [seeded(1), seeded(2)]
const both = put([spread(asked, 40), apart(asked, 50)])
const witnessed = put([apart(seeded(3), 50), apart(seeded(4), 58)])
put([apart(seeded(5), 50)])
const missed = put([spread(other, 40)])

t.test('an image found by the first pass is reported by its nearest row, which the first pass alone misses', async (t) => {
  const [matches] = await matcher.match([pictureOf([asked])], ASKING)
  t.same(
    matches?.map(({ matchId, distanceBits }) => [matchId, distanceBits]),
    [[both, 40]],
  )
})

t.test('a second view still corroborates, and 50 bits without one are too far', async (t) => {
  const [matches] = await matcher.match([pictureOf([seeded(3), seeded(4)])], ASKING)
  t.same(
    matches?.map(({ matchId, grade, distanceBits }) => [matchId, grade, distanceBits]),
    [[witnessed, 'near', 50]],
  )
  t.same(await matcher.match([pictureOf([seeded(5)])], ASKING), [[]])
  t.same(await matcher.match([pictureOf([seeded(3)])], ASKING), [[]])
})

t.test('a picture with few views, or a requested radius, is searched completely', async (t) => {
  const found = async (views: number, thresholdBits?: number) => {
    const [matches = []] = await matcher.match([pictureOf([other], views)], { ...ASKING, thresholdBits })
    return matches.map(({ matchId }) => matchId)
  }
  t.same(await found(7), [missed])
  t.same(await found(8), [], 'forty bits in all sixteen bands, which one pair in ten has')
  t.same(await found(MANY, 40), [missed])
})

t.test('several pictures of a call are answered as each alone', async (t) => {
  const pictures = [pictureOf([asked]), pictureOf([seeded(3), seeded(4)]), pictureOf([other]), pictureOf([other], 7)]
  const together = await matcher.match(pictures, ASKING)
  const separately = await Promise.all(pictures.map(async (picture) => (await matcher.match([picture], ASKING))[0]))
  t.same(together, separately)
  t.same(
    together.map((matches) => matches.map(({ matchId }) => matchId)),
    [[both], [witnessed], [], [missed]],
  )
})

t.test('the first pass changes neither a search within 31 bits nor another type', async (t) => {
  const signals = pictureOf([asked])
  t.same(firstPassOf({ bits: 31, marginBits: 2 }, 'pdq-area', signals), { bits: 31, marginBits: 2 })
  t.same(firstPassOf({ bits: 52, marginBits: 2 }, 'pdq-area', signals), { bits: 31, marginBits: 23 })
  t.same(firstPassOf({ bits: 40, marginBits: 0 }, 'pdq', signals), { bits: 40, marginBits: 0 })
})

function put(hashes: readonly Hash256[]): string {
  const id = uuidV7(Date.now(), randomBytes(10))
  const signals = hashes.map((hash): Signal => ({ type: 'pdq-area', view: 'whole', quality: 100, hash }))
  catalogue.put(id, { ...imageOf(seeded(1)), signals })
  return id
}

/** These views and unrelated ones, `views` in all. */
function pictureOf(hashes: readonly Hash256[], views = MANY): readonly HashedSignal[] {
  const all = [...hashes, ...Array.from({ length: views - hashes.length }, (_, i) => seeded(50 + i))]
  return all.map((hash) => ({
    type: 'pdq-area',
    view: 'deframed',
    quality: 100,
    hashes: rotated('pdq-area', 'deframed', hash),
  }))
}

/** A hash `bits` away, at least two bits in each band of sixteen. */
function spread(hash: Hash256, bits: number): Hash256 {
  return flipped(
    hash,
    Array.from({ length: bits }, (_, i) => (i % BANDS) * 16 + 3 * Math.floor(i / BANDS)),
  )
}

/** A hash `bits` away, with none of them in the first three bands. */
function apart(hash: Hash256, bits: number): Hash256 {
  return flipped(
    hash,
    Array.from({ length: bits }, (_, i) => 48 + 4 * i - (i >= 52 ? 205 : 0)),
  )
}

function flipped(hash: Hash256, places: readonly number[]): Hash256 {
  const bytes = Uint8Array.from(hash)
  for (const place of places) bytes[place >> 3] = (bytes[place >> 3] ?? 0) ^ (1 << (place & 7))
  const away = hashFromBytes(bytes)
  if (distance(hash, away) !== places.length) throw new Error('places repeat')
  return away
}
