// A picture with many views is searched in two passes. The first may miss a pair beyond its radius, which is smaller in a
// large registry; every image that it finds is judged by all near rows.

import { randomBytes } from 'node:crypto'
import { t } from 'tap'
import { uuidV7 } from '../../packages/core/src/ids.js'
import { CASES_BANK_NAME, HARMLESS_BANK } from '../../packages/core/src/matching/bank.js'
import type { HashedSignal } from '../../packages/core/src/matching/hashed-image.js'
import type { Signal } from '../../packages/core/src/matching/signal.js'
import { dihedralsOf } from '../../packages/hash/src/dihedral.js'
import { distance, formatHash, type Hash256, hashFromBytes } from '../../packages/hash/src/hash256.js'
import { Catalogue } from '../../src/services/index/catalogue.js'
import { firstPassBitsAmong, firstPassOf } from '../../src/services/matching/batch-search.js'
import type { CountedObservation } from '../../src/services/matching/observing.js'
import { rotated } from '../../src/services/matching/orientations.js'
import { bareMatcher, matchesOf, probingThatSees } from '../helpers/bare-matcher.js'
import { imageOf } from '../helpers/registered-image.js'
import { seeded } from '../search/rows.js'

const BANDS = 16
const MANY = 10
const ASKING = { orgId: 'org', banks: undefined, thresholdBits: undefined }

let puts = 0
const catalogue = new Catalogue()
// The id of an image is the id of its match.
const matcher = bareMatcher({
  replica: { catalogue },
  matchIds: { idFor: (_, imageId) => imageId, imageOf: () => undefined },
})
// With fewer rows a search reads all of them, and misses nothing.
for (let image = 0; image < 1500; image++) put(Array.from({ length: 30 }, (_, row) => seeded(100_000 + 30 * image + row)))

const [asked, other] = [seeded(1), seeded(2)]
const both = put([spread(asked, 40), apart(asked, 50)])
const corroborated = put([apart(seeded(3), 50), apart(seeded(4), 58)])
put([apart(seeded(5), 50)])
const missed = put([spread(other, 40)])
put([apart(seeded(6), 41)])
put([spread(seeded(6), 36)], HARMLESS_BANK.name)
put([apart(seeded(7), 41)])
/** By their distance in bits from `seeded(1000 + bits)`: registered images whose row differs in drawn places. */
const drawn = [0, 8, 16, 22, 23, 30, 31].map((bits) => {
  const images = Array.from({ length: 12 }, (_, i) => put([flipped(seeded(1000 + bits), drawnPlaces(bits, 20 * bits + i))]))
  return { bits, images }
})
/** Two bits away in all groups but one, and one bit there: each in another group. */
const uneven = Array.from({ length: BANDS }, (_, i) => put([spread(seeded(2000 + i), 31, i + 1)]))

/** Rows of the registry, real or simulated: filling so many would take seconds. */
const index = catalogue.index('pdq-area')
const SMALL = index.liveRows
const LARGE = 500_000

for (const [liveRows, sureBits] of [
  [SMALL, 31],
  [LARGE - 1, 31],
  [LARGE, 23],
  [64_000_000, 23],
] as const) {
  const among = `among ${liveRows.toLocaleString('en')} rows: `
  const saying = () => Object.defineProperty(index, 'liveRows', { value: liveRows, configurable: true })

  t.test(
    `${among}an image found by the first pass is reported by its nearest row, which the first pass alone misses`,
    async (t) => {
      saying()
      const [matches] = await matchesOf(matcher, [pictureOf([asked])], ASKING)
      t.same(
        matches?.map(({ matchId, distanceBits }) => [matchId, distanceBits]),
        [[both, 40]],
      )
    },
  )

  t.test(`${among}a second view still corroborates, and 50 bits without one are too far`, async (t) => {
    saying()
    const [matches] = await matchesOf(matcher, [pictureOf([seeded(3), seeded(4)])], ASKING)
    t.same(
      matches?.map(({ matchId, grade, distanceBits }) => [matchId, grade, distanceBits]),
      [[corroborated, 'near', 50]],
    )
    t.same(await matchesOf(matcher, [pictureOf([seeded(5)])], ASKING), [[]])
    t.same(await matchesOf(matcher, [pictureOf([seeded(3)])], ASKING), [[]])
  })

  t.test(`${among}a picture with few views, or a requested radius, is searched completely`, async (t) => {
    saying()
    const found = async (views: number, thresholdBits?: number) => {
      const [matches = []] = await matchesOf(matcher, [pictureOf([other], views)], { ...ASKING, thresholdBits })
      return matches.map(({ matchId }) => matchId)
    }
    t.same(await found(7), [missed])
    t.same(await found(8), [], 'forty bits in all sixteen bands, which one pair in ten has')
    t.same(await found(MANY, 40), [missed])
  })

  t.test(`${among}several pictures of a call are answered as each alone`, async (t) => {
    saying()
    const pictures = [pictureOf([asked]), pictureOf([seeded(3), seeded(4)]), pictureOf([other]), pictureOf([other], 7)]
    const together = await matchesOf(matcher, pictures, ASKING)
    const separately = await Promise.all(pictures.map(async (picture) => (await matchesOf(matcher, [picture], ASKING))[0]))
    t.same(together, separately)
    t.same(
      together.map((matches) => matches.map(({ matchId }) => matchId)),
      [[both], [corroborated], [], [missed]],
    )
  })

  t.test(`${among}a chance hit is not searched farther, and a match is`, async (t) => {
    saying()
    const radii: number[] = []
    const { search } = index
    index.search = function (...asked) {
      radii.push(asked[1])
      return search.apply(this, asked)
    }
    t.teardown(() => Object.assign(index, { search }))
    t.same(await matchesOf(matcher, [pictureOf([seeded(5)])], ASKING), [[]])
    t.ok(radii.length > 0 && Math.max(...radii) <= 34, `${radii}`) // rotated views go no farther
    t.equal((await matchesOf(matcher, [pictureOf([asked])], ASKING))[0]?.length, 1)
    t.ok(Math.max(...radii) > 50)
  })

  t.test(`${among}nothing is searched for twice, in a call of one picture or of two`, async (t) => {
    saying()
    const whole = (hash: Hash256): HashedSignal => ({ type: 'pdq', view: 'whole', quality: 100, hashes: dihedralsOf(hash) })
    const second = (hash: Hash256): HashedSignal => ({ ...whole(hash), type: 'blockhash' })
    const pictures = [asked, seeded(3), seeded(5), seeded(8)].map((hash, i) => {
      const own = Array.from({ length: MANY }, (_, k) => seeded(900_000 + 100 * i + k))
      return [...pictureOf([hash, ...own]), whole(seeded(910_000 + i)), second(seeded(920_000 + i))]
    })
    for (const call of [...pictures.map((picture) => [picture]), pictures]) {
      const searches: string[] = []
      const note = (type: string, [first]: readonly Hash256[], ...radius: readonly (number | undefined)[]) =>
        searches.push(`${type} ${first && formatHash(first)} ${radius.join(' ')}`)
      for (const type of ['pdq', 'pdq-area', 'blockhash'] as const) {
        const own = catalogue.index(type)
        const { search, searchEach } = own
        own.search = (needles, bits, margin) => {
          note(type, needles, bits, margin)
          return search.call(own, needles, bits, margin)
        }
        own.searchEach = (sets, bits, margin) => {
          for (const needles of sets) note(type, needles, bits, margin)
          return searchEach.call(own, sets, bits, margin)
        }
        t.teardown(() => Object.assign(own, { search, searchEach }))
      }
      await matchesOf(matcher, call, ASKING)
      const twice = searches.filter((each, i) => searches.indexOf(each) < i)
      t.same(twice, [])
      t.ok(searches.length > 20)
    }
  })

  t.test(`${among}a picture that is judged twice reveals as much as one that is judged once`, async (t) => {
    saying()
    const revealed = async (hashes: readonly Hash256[], views: number) => {
      const seen: CountedObservation[] = []
      const observing = bareMatcher({ replica: { catalogue }, probing: probingThatSees((all) => void seen.push(...all)) })
      await matchesOf(observing, [pictureOf(hashes, views)], ASKING)
      return seen
    }
    for (const hashes of [[asked], [seeded(3), seeded(4)]]) {
      const once = await revealed(hashes, 7)
      t.same(await revealed(hashes, 8), once)
      t.equal(once.length, 1)
    }
  })

  t.test(`${among}a harmless picture found only in the whole radius hides a hit of the first pass`, async (t) => {
    saying()
    t.same(await matchesOf(matcher, [pictureOf([seeded(6)])], ASKING), [[]])
    t.equal((await matchesOf(matcher, [pictureOf([seeded(7)])], ASKING))[0]?.length, 1, 'without one it is reported')
  })

  t.test(`${among}every row within ${sureBits} bits is found, wherever it differs`, async (t) => {
    saying()
    for (const { bits, images } of drawn) {
      const [matches = []] = await matchesOf(matcher, [pictureOf([seeded(1000 + bits)])], ASKING)
      const found = matches.map(({ matchId }) => matchId)
      if (bits <= sureBits) t.same(new Set(found), new Set(images), `${bits} bits`)
      else t.ok(found.every((id) => images.includes(id)))
    }
    let found = 0
    for (const [i, image] of uneven.entries()) {
      const [matches = []] = await matchesOf(matcher, [pictureOf([seeded(2000 + i)])], ASKING)
      found += matches.filter(({ matchId }) => matchId === image).length
    }
    t.equal(found === uneven.length, sureBits === 31, 'a plan for 23 bits allows a bit in no more than half of the groups')
  })

  t.test(
    `${among}the first pass is complete within ${sureBits} bits; a smaller radius, and other types, do not change`,
    async (t) => {
      const signals = pictureOf([asked])
      const bits = firstPassBitsAmong(liveRows)
      t.equal(bits, sureBits)
      t.same(firstPassOf({ bits, marginBits: 2 }, 'pdq-area', signals, bits), { bits, marginBits: 2 })
      t.same(firstPassOf({ bits: 52, marginBits: 2 }, 'pdq-area', signals, bits), { bits, marginBits: 54 - bits })
      t.same(firstPassOf({ bits: 52, marginBits: 2 }, 'pdq-area', signals, undefined), { bits: 52, marginBits: 2 })
      t.same(firstPassOf({ bits: 40, marginBits: 0 }, 'pdq', signals, bits), { bits: 40, marginBits: 0 })
    },
  )
}

function put(hashes: readonly Hash256[], bank = CASES_BANK_NAME): string {
  const id = uuidV7(1_000 * ++puts, randomBytes(10)) // each of another case
  const signals = hashes.map((hash): Signal => ({ type: 'pdq-area', view: 'whole', quality: 100, hash }))
  catalogue.put(id, { ...imageOf(seeded(1)), bank, signals })
  return id
}

/** These views, and unrelated ones, so many in all. */
function pictureOf(hashes: readonly Hash256[], views = MANY): readonly HashedSignal[] {
  const all = [...hashes, ...Array.from({ length: views - hashes.length }, (_, i) => seeded(50 + i))]
  return all.map((hash) => ({
    type: 'pdq-area',
    view: 'deframed',
    quality: 100,
    hashes: rotated('pdq-area', 'deframed', hash),
  }))
}

/** A hash `bits` away, with the bits dealt to the groups of sixteen in rotation from group `first`. */
function spread(hash: Hash256, bits: number, first = 0): Hash256 {
  return flipped(
    hash,
    Array.from({ length: bits }, (_, i) => ((first + i) % BANDS) * 16 + 3 * Math.floor(i / BANDS)),
  )
}

/** A hash so many bits away, none of them in the first three groups. */
function apart(hash: Hash256, bits: number): Hash256 {
  return flipped(
    hash,
    Array.from({ length: bits }, (_, i) => 48 + 4 * i - (i >= 52 ? 205 : 0)),
  )
}

/** So many places, the same for the same seed. */
function drawnPlaces(bits: number, seed: number): number[] {
  const bytes = Array.from({ length: 6 }, (_, i) => [...seeded(500_000 + 6 * seed + i)]).flat()
  return [...new Set(bytes)].slice(0, bits)
}

function flipped(hash: Hash256, places: readonly number[]): Hash256 {
  const bytes = Uint8Array.from(hash)
  for (const place of places) bytes[place >> 3] = (bytes[place >> 3] ?? 0) ^ (1 << (place & 7))
  const away = hashFromBytes(bytes)
  if (distance(hash, away) !== places.length) throw new Error('places repeat')
  return away
}
