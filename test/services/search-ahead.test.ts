// What is asked with one turn of the event loop is searched for together, and each is answered as if he had been alone.

import { randomBytes } from 'node:crypto'
import { t } from 'tap'
import type { HashedSignal } from '../../src/domain/hashed-image.js'
import { dihedralsOf } from '../../src/hash/dihedral.js'
import { type Hash256, hashFromBytes } from '../../src/hash/hash256.js'
import { Catalogue } from '../../src/services/catalogue.js'
import { matchIdsWith } from '../../src/services/match-ids.js'
import { type MatchOptions, matcherOver } from '../../src/services/matcher.js'
import { LOOP, turnsOfLoop } from '../../src/services/turns-of-loop.js'
import { catalogueOf } from '../helpers/registered-image.js'

const ASKING = { orgId: 'org', banks: undefined, thresholdBits: undefined }
const SIGNAL = { type: 'pdq', view: 'whole', quality: 100 } as const

/** A matcher over so many images, and how many sets of needles each pass over the index had. */
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
  const matcher = matcherOver({
    replica,
    matchIds: matchIdsWith(Buffer.alloc(32, 1)),
    finder: undefined,
    sightings: { note() {} },
    probing: {
      see() {
        meanwhile(
          catalogue,
          images.map(({ id }) => id),
        )
        return undefined
      },
    },
    turns: turnsOfLoop(LOOP, () => performance.now()),
  })
  return { matcher, hashes: images.map(({ hash }) => hash), passes, replica }
}

function turnedOver(hash: Hash256, bits: number): Hash256 {
  return hashFromBytes(hash.map((byte, at) => (at < bits ? byte ^ 1 : byte)))
}

t.test(
  'who ask with one turn are answered as each alone: near and far, with one hash or eight, of one picture or more',
  async (t) => {
    const { matcher, hashes, passes } = worldOf(60)
    const stranger = hashFromBytes(randomBytes(32))
    const asked: [(readonly HashedSignal[])[], Partial<MatchOptions>][] = hashes.flatMap((hash) => {
      const near = turnedOver(hash, 20)
      const shared = { ...SIGNAL, hashes: [turnedOver(hash, 9)] }
      return [
        [[[{ ...SIGNAL, hashes: [hash] }]], {}],
        [[[{ ...SIGNAL, hashes: dihedralsOf(near) }]], {}],
        [[[{ ...SIGNAL, hashes: [stranger] }], [{ ...SIGNAL, hashes: [near] }]], {}],
        [[[{ ...SIGNAL, hashes: [near] }, { ...SIGNAL, type: 'blockhash', hashes: [hash] } as const]], {}],
        // The same object, searched for less far, far enough, and farther than is usual.
        [[[shared]], { thresholdBits: 8 }],
        [[[shared]], { thresholdBits: 9 }],
        [[[shared]], { thresholdBits: 60 }],
        [[[{ ...SIGNAL, hashes: [near] }]], { orgId: 'other' }],
      ]
    })

    const together = await Promise.all(
      asked.map(([pictures, options]) => matcher.match(pictures, { ...ASKING, ...options })),
    )

    t.ok(
      passes.some((sets) => sets > 8),
      'in few passes',
    )
    const alone = []
    for (const [pictures, options] of asked) alone.push(await matcher.match(pictures, { ...ASKING, ...options }))
    t.same(together, alone)
    t.same(
      together.slice(0, 8).map((answer) => answer.map(({ length }) => length)),
      [[1], [1], [0, 1], [1], [0], [1], [1], [1]],
    )
  },
)

t.test('who asks farther than is usual keeps nobody waiting for it', async (t) => {
  const { matcher, hashes, passes } = worldOf(3)
  const pictures = hashes.map((hash) => [[{ ...SIGNAL, hashes: [hash] }]])
  await Promise.all(pictures.map((each, i) => matcher.match(each, { ...ASKING, thresholdBits: i === 0 ? 60 : 31 })))
  t.same(passes, [2])
})

t.test('what is withdrawn after it was searched for, and before it is answered, is not named', async (t) => {
  const { matcher, hashes, passes } = worldOf(3, (catalogue, [, second = '']) => catalogue.remove(second))
  const pictures = hashes.map((hash) => [[{ ...SIGNAL, hashes: [hash] }]])
  const answers = await Promise.all(pictures.map((each) => matcher.match(each, ASKING)))
  t.same(passes, [3], 'in one pass')
  t.same(
    answers.map(([matches]) => matches?.length),
    [1, 0, 1],
  )
})

t.test(
  'who asked an index that is the store’s no longer is told to come again, and who comes then is answered from the new one',
  async (t) => {
    const { matcher, hashes, replica } = worldOf(2)
    const [hash = hashFromBytes(randomBytes(32))] = hashes
    const ask = () => matcher.match([[{ ...SIGNAL, hashes: [hash] }]], ASKING)

    const before = [ask(), ask()]
    replica.catalogue = new Catalogue()
    const behind = [ask(), ask()]

    for (const each of before) await t.rejects(each, { code: 'index-cold' })
    for (const each of behind) t.same(await each, [[]])
  },
)

t.test('a search that fails fails all who wait for it, and nobody else', async (t) => {
  const { matcher, hashes, replica } = worldOf(2)
  const pictures = hashes.map((hash) => [[{ ...SIGNAL, hashes: [hash] }]])
  const index = replica.catalogue.index('pdq')
  const { searchEach } = index
  index.searchEach = () => {
    throw new Error('broken')
  }
  const failed = await Promise.allSettled(pictures.map((each) => matcher.match(each, ASKING)))
  index.searchEach = searchEach
  t.same(
    failed.map(({ status }) => status),
    ['rejected', 'rejected'],
  )
  t.equal((await Promise.all(pictures.map((each) => matcher.match(each, ASKING)))).flat(2).length, 2)
})
