// Queries of one turn of the event loop, or of one call, are searched together and answered as if each were alone.

import { randomBytes } from 'node:crypto'
import { t } from 'tap'
import type { HashedSignal } from '../../packages/core/src/matching/hashed-image.js'
import { dihedralsOf } from '../../packages/hash/src/dihedral.js'
import { type Hash256, hashFromBytes } from '../../packages/hash/src/hash256.js'
import { Catalogue } from '../../src/services/index/catalogue.js'
import type { MatchOptions } from '../../src/services/matching/match.js'
import { NO_PROBING } from '../../src/services/matching/match-steps.js'
import { bareMatcher, matchesOf } from '../helpers/bare-matcher.js'
import { catalogueOf } from '../helpers/registered-image.js'

const ASKING = { orgId: 'org', banks: undefined, thresholdBits: undefined }
const SIGNAL = { type: 'pdq', view: 'whole', quality: 100 } as const

/** A matcher over `count` images, and how many sets of needles each pass over the index had. */
function worldOf(count: number, meanwhile: (catalogue: Catalogue, ids: readonly string[]) => void = () => {}) {
  const { catalogue, images } = catalogueOf(count)
  const passes: number[] = []
  const index = catalogue.index('pdq')
  const searchEach = index.searchEach.bind(index)
  index.searchEach = (sets, thresholdBits) => {
    passes.push(sets.length)
    return searchEach(sets, thresholdBits)
  }
  const replica = { catalogue }
  const ids = images.map(({ id }) => id)
  const see = () => {
    meanwhile(catalogue, ids)
    return undefined
  }
  const matcher = bareMatcher({ replica, probing: { ...NO_PROBING, count: see } })
  return { matcher, hashes: images.map(({ hash }) => hash), passes, replica }
}

function flipped(hash: Hash256, bits: number): Hash256 {
  return hashFromBytes(hash.map((byte, at) => (at < bits ? byte ^ 1 : byte)))
}

t.test(
  'queries of one turn are answered as each alone: near and far, with one hash or eight, one picture or more',
  async (t) => {
    const { matcher, hashes, passes } = worldOf(60)
    const stranger = hashFromBytes(randomBytes(32))
    const asked: [(readonly HashedSignal[])[], Partial<MatchOptions>][] = hashes.flatMap((hash) => {
      const near = flipped(hash, 20)
      const shared = { ...SIGNAL, hashes: [flipped(hash, 9)] }
      return [
        [[[{ ...SIGNAL, hashes: [hash] }]], {}],
        [[[{ ...SIGNAL, hashes: dihedralsOf(near) }]], {}],
        [[[{ ...SIGNAL, hashes: [stranger] }], [{ ...SIGNAL, hashes: [near] }]], {}],
        [[[{ ...SIGNAL, hashes: [near] }, { ...SIGNAL, type: 'blockhash', hashes: [hash] } as const]], {}],
        // The same object, searched with a smaller radius, a sufficient one, and a larger one than usual.
        [[[shared]], { thresholdBits: 8 }],
        [[[shared]], { thresholdBits: 9 }],
        [[[shared]], { thresholdBits: 60 }],
        [[[{ ...SIGNAL, hashes: [near] }]], { orgId: 'other' }],
      ]
    })

    const together = await Promise.all(
      asked.map(([pictures, options]) => matchesOf(matcher, pictures, { ...ASKING, ...options })),
    )

    t.ok(
      passes.every((sets) => sets === 2),
      'the pictures of one call in one pass',
    )
    t.equal(passes.length, 60)
    const alone = []
    for (const [pictures, options] of asked) alone.push(await matchesOf(matcher, pictures, { ...ASKING, ...options }))
    t.same(together, alone)
    t.same(
      together.slice(0, 8).map((answer) => answer.map(({ length }) => length)),
      [[1], [1], [0, 1], [1], [0], [1], [1], [1]],
    )
  },
)

t.test('an image withdrawn after the search and before the answer is not in the answer', async (t) => {
  const { matcher, hashes, passes } = worldOf(3, (catalogue, [, second = '']) => catalogue.remove(second))
  const answers = await matchesOf(
    matcher,
    hashes.map((hash) => [{ ...SIGNAL, hashes: [hash] }]),
    ASKING,
  )
  t.same(passes, [3], 'in one pass')
  t.same(
    answers.map(({ length }) => length),
    [1, 0, 1],
  )
})

t.test('queries that a batched search leaves out are searched alone, and all take few passes', async (t) => {
  const { matcher, hashes, passes, replica } = worldOf(40)
  const pictures = Array.from({ length: 1100 }, (_, i) => {
    const hash = hashes[i % hashes.length] ?? hashFromBytes(randomBytes(32))
    return [{ ...SIGNAL, hashes: dihedralsOf(i % 3 === 0 ? hashFromBytes(randomBytes(32)) : flipped(hash, i % 25)) }]
  })
  const index = replica.catalogue.index('pdq')
  const { searchEach } = index
  index.searchEach = function* (sets, thresholdBits) {
    const each = yield* searchEach(sets, thresholdBits)
    return each.map((hits, i) => (i % 2 === 0 ? undefined : hits))
  }

  const together = await matchesOf(matcher, new Set(pictures), ASKING)

  t.same(passes, [1024, 76], 'at most 8,192 needles each')
  const alone = []
  for (const picture of pictures) alone.push(...(await matchesOf(matcher, [picture], ASKING)))
  t.same(together, alone)
  t.equal(together.filter(({ length }) => length > 0).length, pictures.filter((_, i) => i % 3 !== 0).length)
})

t.test('a call yields before each picture, also if nothing is near to any', async (t) => {
  const { catalogue } = catalogueOf(3)
  let asked = 0
  const yielder = () => () => void asked++
  const scheduler = { yielder, atEndOfTick: (callback: () => void) => callback() }
  const matcher = bareMatcher({ replica: { catalogue }, scheduler })
  const pictures = Array.from({ length: 100 }, () => [{ ...SIGNAL, hashes: [hashFromBytes(randomBytes(32))] }])

  await matchesOf(matcher, pictures, ASKING)

  t.ok(asked >= 200, 'for each picture while they are gathered for the search, and again before it is answered')
})

t.test('a call that waits for the end of a turn is answered from the index that is current then', async (t) => {
  const { matcher, hashes, replica } = worldOf(2)
  const [hash = hashFromBytes(randomBytes(32))] = hashes
  const ask = () => matchesOf(matcher, [[{ ...SIGNAL, hashes: [hash] }]], ASKING)

  const before = [ask(), ask()]
  replica.catalogue = new Catalogue()
  const behind = [ask(), ask()]

  for (const each of [...before, ...behind]) t.same(await each, [[]])
})

t.test('a call whose index is replaced during the search is refused with `index-loading`', async (t) => {
  const { matcher, hashes, replica } = worldOf(2, () => {
    replica.catalogue = new Catalogue()
  })
  const [hash = hashFromBytes(randomBytes(32))] = hashes
  await t.rejects(matchesOf(matcher, [[{ ...SIGNAL, hashes: [hash] }]], ASKING), { code: 'index-loading' })
})

t.test('a search that fails fails only its own caller', async (t) => {
  const { matcher, hashes, replica } = worldOf(2)
  const pictures = hashes.map((hash) => [{ ...SIGNAL, hashes: [hash] }])
  const index = replica.catalogue.index('pdq')
  const { searchEach } = index
  index.searchEach = () => {
    throw new Error('broken')
  }
  const [both, one] = await Promise.allSettled([
    matchesOf(matcher, pictures, ASKING),
    matchesOf(matcher, pictures.slice(1), ASKING),
  ])
  index.searchEach = searchEach
  t.same([both.status, one.status], ['rejected', 'fulfilled'])
  t.equal((await matchesOf(matcher, pictures, ASKING)).flat().length, 2)
})
