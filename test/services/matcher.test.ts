// How a long query is answered when its matches change while it runs.

import { randomBytes } from 'node:crypto'
import { t } from 'tap'
import { formatUuid } from '../../packages/core/src/ids.js'
import { COPY_BITS } from '../../packages/core/src/matching/copies.js'
import type { View } from '../../packages/core/src/matching/signal.js'
import { dihedralsOf } from '../../packages/hash/src/dihedral.js'
import { type Hash256, hashFromBytes } from '../../packages/hash/src/hash256.js'
import { NO_TRUST_STATUS } from '../../src/domain/trust/trust.js'
import { Catalogue } from '../../src/services/index/catalogue.js'
import { inOrder, type Match } from '../../src/services/matching/match.js'
import type { MatchedImage } from '../../src/services/matching/match-recorder.js'
import { NO_PROBING } from '../../src/services/matching/match-steps.js'
import type { Matcher, MatcherParts } from '../../src/services/matching/matcher.js'
import type { Observation } from '../../src/services/matching/observing.js'
import { bareMatcher, matchesOf, probingThatSees } from '../helpers/bare-matcher.js'
import { bitsFrom, hashNamed } from '../helpers/hashes.js'
import { catalogueOf, imageWith } from '../helpers/registered-image.js'

const ASKING = { orgId: 'org', banks: undefined, thresholdBits: undefined }

/** A matcher over `count` images, one per picture. `meanwhile` is awaited after each picture. */
function worldOf(
  count: number,
  meanwhile: (picture: number, catalogue: Catalogue, ids: readonly string[]) => void,
  scheduler?: MatcherParts['scheduler'],
) {
  const { catalogue, images } = catalogueOf(count)
  const ids = images.map(({ id }) => id)
  const noted: (readonly string[])[] = []
  let seen = 0
  const matcher = bareMatcher({
    replica: { catalogue },
    matchEvents: { note: (_, met) => void noted.push(met.map(({ imageId }) => imageId)) },
    probing: {
      ...NO_PROBING,
      async count() {
        meanwhile(seen++, catalogue, ids)
        return undefined
      },
    },
    ...(scheduler !== undefined && { scheduler }),
  })
  const pictures = images.map(({ hash }) => [{ type: 'pdq', view: 'whole', quality: 100, hashes: [hash] }] as const)
  return { matcher, pictures, ids, noted }
}

t.test('an image withdrawn before the end is not in the answer, even if its picture was answered before', async (t) => {
  const { matcher, pictures, ids, noted } = worldOf(3, (picture, catalogue, all) => {
    if (picture === 1) catalogue.remove(all[0] ?? '')
  })
  const answers = await matchesOf(matcher, pictures, ASKING)
  t.same(
    answers.map(({ length }) => length),
    [0, 1, 1],
  )
  t.same(noted, [[], [ids[1]], [ids[2]]], 'it is not counted')
})

t.test('an image withdrawn while the rest of the answer is computed is not in the answer', async (t) => {
  const { catalogue, images } = catalogueOf(2)
  const matches = await matchesOf(
    bareMatcher({ replica: { catalogue } }),
    images.map(({ hash }) => [{ type: 'pdq', view: 'whole', quality: 100, hashes: [hash] }]),
    {
      ...{ orgId: 'org', banks: undefined, thresholdBits: undefined },
      beforeAnswer: async () => void catalogue.remove(images[0]?.id ?? ''),
    },
  )
  t.same(
    matches.map(({ length }) => length),
    [0, 1],
  )
})

t.test('an image withdrawn after a batched search, before its picture is answered, is not in the answer', async (t) => {
  const { matcher, pictures } = worldOf(3, (picture, catalogue, ids) => {
    if (picture === 0) catalogue.remove(ids[2] ?? '')
  })
  const answers = await matchesOf(matcher, pictures, ASKING)
  t.same(
    answers.map(({ length }) => length),
    [1, 1, 0],
  )
})

t.test(
  'many pictures in one call are answered as each alone: any number of hashes, either type, the same image',
  async (t) => {
    const { matcher, pictures } = worldOf(40, () => {})
    const asked = pictures.flatMap(([{ hashes }], i) => {
      const [hash = hashFromBytes(new Uint8Array(32))] = hashes
      const near = hashFromBytes(hash.map((byte, at) => (at === i % 32 ? byte ^ 0x81 : byte)))
      const signal = { type: 'pdq', view: 'whole', quality: 100 } as const
      return [
        [{ ...signal, hashes: [hash] }],
        [{ ...signal, hashes: [near] }],
        [{ ...signal, hashes: [near, hash] }, { ...signal, type: 'blockhash', hashes: [hash] } as const],
        [{ ...signal, hashes: dihedralsOf(near) }],
        [{ ...signal, hashes: [hashFromBytes(randomBytes(32))] }],
      ]
    })

    const together = await matchesOf(matcher, asked, ASKING)

    const alone: (readonly Match[])[] = []
    for (const picture of asked) alone.push(...(await matchesOf(matcher, [picture], ASKING)))
    t.same(together, alone)
    t.equal(together.filter(({ length }) => length === 1).length, 160, 'all but the unknown hashes')
  },
)

t.test('a call stops wherever it is asked to yield, and continues in its next turn', async (t) => {
  const waiting: (() => void)[] = []
  const yieldIfNeeded = () => new Promise<void>((resolve) => waiting.push(resolve))
  let told = 0
  const scheduler = { yielder: () => yieldIfNeeded, atEndOfTick: setImmediate }
  const { matcher, pictures } = worldOf(40, () => told++, scheduler)
  const rotated = pictures.map(([signal]) => [{ ...signal, hashes: dihedralsOf(signal.hashes[0]) }])
  for (const [what, asked, minTicks] of [
    ['with one hash each, which are searched for ahead', pictures, 40],
    ['with eight', rotated, 80],
    ['one picture', rotated.slice(0, 1), 2],
  ] as const) {
    told = 0
    let isDone = false
    const call = matchesOf(matcher, asked, ASKING).finally(() => {
      isDone = true
    })
    let turns = 0
    for (await flippedOften(); !isDone; await flippedOften()) {
      t.equal(waiting.length, 1, `${what}: it waits`)
      if (waiting.length !== 1) return
      t.ok(told <= ++turns, `${what}: at most one picture a turn`)
      waiting.shift()?.()
    }
    t.equal((await call).flat().length, asked.length, what)
    t.ok(turns >= minTicks, `${what}: ${turns} turns`)
  }
})

/** Whatever does not wait is done by then. */
async function flippedOften(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
}

const flipped = (hash: Hash256, bits: number) => {
  const bytes = Uint8Array.from(hash)
  for (let i = 0; i < bits; i++) bytes[i % 32] = (bytes[i % 32] ?? 0) ^ (1 << (i >> 5))
  return hashFromBytes(bytes)
}

/** A query of one PDQ hash. */
const queryOf = (hash: Hash256) => [{ type: 'pdq', view: 'whole', quality: 100, hashes: [hash] }] as const
const found = async (matcher: Matcher, hash: Hash256) => (await matchesOf(matcher, [queryOf(hash)], ASKING))[0]?.length

t.test('of a narrowed image only copies match, until it is no longer narrowed', async (t) => {
  const { catalogue, images } = catalogueOf(2)
  const [narrowed, other] = images
  const edges: Observation['edge'][] = []
  const matcher = bareMatcher({
    replica: { catalogue },
    probing: probingThatSees((all) => void edges.push(...all.map(({ edge }) => edge))),
  })
  if (narrowed === undefined || other === undefined) throw new Error('two were put')
  catalogue.setTrustStatus(narrowed.id, { ...NO_TRUST_STATUS, narrowed: true })
  const reach = async (hash: Hash256) => [
    await found(matcher, hash),
    await found(matcher, flipped(hash, COPY_BITS)),
    await found(matcher, flipped(hash, COPY_BITS + 1)),
    await found(matcher, flipped(hash, 31)),
  ]
  t.same(await reach(narrowed.hash), [1, 1, 0, 0])
  t.same(edges, ['none', 'outer', 'outer', 'outer'], 'the distance where it stops matching is an outer edge')
  t.same(await reach(other.hash), [1, 1, 1, 1])
  catalogue.setTrustStatus(narrowed.id, NO_TRUST_STATUS)
  t.same(await reach(narrowed.hash), [1, 1, 1, 1])
})

t.test('an upload is noted by its look if several views agree, and none as a copy by its true distance', async (t) => {
  const catalogue = new Catalogue()
  const row = (type: 'pdq' | 'pdq-area', view: View, name: string, bits = 0) =>
    ({ type, view, quality: 100, hash: bitsFrom(hashNamed(name), bits) }) as const
  const signals = [row('pdq', 'whole', 'pdq'), row('pdq-area', 'whole', 'whole'), row('pdq-area', 'crop', 'crop')]
  catalogue.put(formatUuid(randomBytes(16)), imageWith(signals))
  const noted: MatchedImage[] = []
  const matcher = bareMatcher({
    replica: { catalogue },
    matchEvents: { note: (_, met) => void noted.push(...met) },
    probing: probingThatSees(() => (_, match) => ({ ...match, distanceBits: 31, distanceBand: '16-31' })),
  })
  const note = async (pdqBits: number, wholeBits: number) => {
    const rows = [row('pdq', 'whole', 'pdq', pdqBits), row('pdq-area', 'whole', 'whole', wholeBits)]
    const pieces = Array.from({ length: 8 }, (_, i) => row('pdq-area', 'piece', `another ${i}`))
    const asked = [...rows, row('pdq-area', 'deframed', 'crop', 50), ...pieces].map(({ hash, ...rest }) => ({
      ...rest,
      hashes: [hash],
    }))
    const [matches = []] = await matchesOf(matcher, [asked], ASKING)
    t.equal(matches.length, 1)
    return noted.at(-1)?.look
  }
  t.equal(await note(0, 50), undefined)
  t.equal(await note(COPY_BITS, 50), undefined)
  t.type(await note(COPY_BITS + 1, 50), 'number')
  t.type(await note(20, 50), 'number')
  for (const bits of [COPY_BITS + 1, 20])
    t.equal(await note(bits, 70), undefined, 'the whole may be made near, whatever its distance')
})

t.test('the nearest match comes first, and of equally near ones the better grade', (t) => {
  const of = (distanceBits: number, grade: Match['grade'], matchId: string) => ({ distanceBits, grade, matchId }) as Match
  const sorted = [of(4, 'strong', 'a'), of(0, 'near', 'b'), of(0, 'review', 'a'), of(0, 'exact', 'd'), of(0, 'exact', 'c')]
    .sort(inOrder)
    .map(({ distanceBits, grade, matchId }) => `${distanceBits} ${grade} ${matchId}`)
  t.same(sorted, ['0 exact c', '0 exact d', '0 near b', '0 review a', '4 strong a'])
  t.end()
})
