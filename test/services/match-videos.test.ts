// A still is matched against videos: one match per video, by its best frame, and none that was withdrawn.

import { randomBytes } from 'node:crypto'
import t from 'tap'
import { formatUuid } from '../../packages/core/src/ids.js'
import { CASES_BANK_NAME, HARMLESS_BANK_NAME } from '../../packages/core/src/matching/bank.js'
import type { HashedSignal } from '../../packages/core/src/matching/hashed-image.js'
import type { RegisteredImage, Signal } from '../../packages/core/src/matching/signal.js'
import type { Hash256 } from '../../packages/hash/src/hash256.js'
import { NO_TRUST_STATUS } from '../../src/domain/trust/trust.js'
import { Catalogue } from '../../src/services/index/catalogue.js'
import { harmlessAmong } from '../../src/services/matching/harmless/harmless-filter.js'
import { NO_PROBING } from '../../src/services/matching/match-steps.js'
import type { Observation } from '../../src/services/matching/observing.js'
import { createObserved } from '../../src/services/matching/probing/observed.js'
import type { ProbingGuard } from '../../src/services/matching/probing/probing-guard.js'
import { bareMatcher, matchesOf } from '../helpers/bare-matcher.js'
import { bitsFrom, hashNamed } from '../helpers/hashes.js'
import { imageWith } from '../helpers/registered-image.js'

type Row = Pick<Signal, 'type' | 'view' | 'hash'>
const pdq = (hash: Hash256): Row => ({ type: 'pdq', view: 'whole', hash })
const area = (hash: Hash256, view: Signal['view']): Row => ({ type: 'pdq-area', view, hash })

/** Frame `i` is shown at `i` times 1.5 seconds. */
function videoOf(frames: readonly (readonly Row[])[], bank: string = CASES_BANK_NAME): RegisteredImage {
  return {
    ...imageWith(frames.flatMap((rows, frame) => rows.map((row) => ({ ...row, quality: 100, frame })))),
    bank,
    video: { durationMs: 1_500 * frames.length, framesAtMs: frames.map((_, i) => 1_500 * i) },
  }
}

function asked(...rows: readonly Row[]): readonly HashedSignal[] {
  return rows.map(({ type, view, hash }) => ({ type, view, quality: 100, hashes: [hash] }))
}

function open(probing: Partial<ProbingGuard> = {}) {
  const catalogue = new Catalogue()
  const noted: string[][] = []
  const matcher = bareMatcher({
    replica: { catalogue },
    matchEvents: { note: (_, matched) => void noted.push(matched.map(({ imageId }) => imageId)) },
    probing: { ...NO_PROBING, ...probing },
  })
  return {
    catalogue,
    noted,
    register(image: RegisteredImage) {
      const id = formatUuid(randomBytes(16))
      catalogue.put(id, image)
      return id
    },
    async ask(picture: readonly HashedSignal[]) {
      const [matches = []] = await matchesOf(matcher, [picture], {
        orgId: 'org',
        banks: undefined,
        thresholdBits: undefined,
      })
      return matches.map(({ grade, distanceBits, atMs }) => ({ grade, distanceBits, atMs }))
    },
  }
}

const scene = hashNamed('scene')
const others = Array.from({ length: 20 }, (_, i) => hashNamed(`other ${i}`))

t.test('of several near frames the best is reported with its time, and the video counts once', async (t) => {
  const { register, ask, noted, catalogue } = open()
  const near = [24, 6, 20].map((bits) => [pdq(bitsFrom(scene, bits))])
  const id = register(videoOf([[pdq(hashNamed('first'))], ...near]))
  register(imageWith([{ ...pdq(bitsFrom(scene, 10)), quality: 100 }]))
  t.same(await ask(asked(pdq(scene))), [
    { grade: 'near', distanceBits: 6, atMs: 3_000 },
    { grade: 'near', distanceBits: 10, atMs: undefined },
  ])
  t.equal(noted[0]?.length, 2)
  t.equal(noted[0]?.[0], id)
  t.equal(catalogue.images, 2)
})

t.test('a surer frame precedes a nearer one, and views of two frames do not corroborate each other', async (t) => {
  const parts = [hashNamed('part'), hashNamed('another part')] as const
  const query = asked(area(parts[0], 'whole'), area(parts[1], 'deframed'))
  const rows = (bits: readonly [number, number]) => [
    area(bitsFrom(parts[0], bits[0]), 'whole'),
    area(bitsFrom(parts[1], bits[1]), 'crop'),
  ]
  const apart = open()
  apart.register(videoOf([rows([30, 120]), rows([120, 30])]))
  t.match(await apart.ask(query), [{ grade: 'near', distanceBits: 30 }])
  const both = open()
  both.register(videoOf([rows([20, 120]), rows([30, 30])]))
  t.match(await both.ask(query), [{ grade: 'strong', distanceBits: 30, atMs: 1_500 }])
  const chosen = open()
  chosen.register({ ...videoOf([rows([20, 120]), rows([30, 30])]), isByHashes: true })
  t.match(await chosen.ask(query), [{ grade: 'near' }], 'never of hashes that nobody vouches for')
})

t.test('no frame of a withdrawn video matches, at once and in searches that began before', async (t) => {
  const { register, ask, catalogue } = open()
  const kept = register(videoOf([[pdq(hashNamed('kept'))]]))
  const id = register(videoOf(others.map((hash) => [pdq(hash), area(hash, 'crop')])))
  for (const [i, hash] of others.entries())
    t.match(await ask(asked(pdq(hash))), [{ grade: 'near', distanceBits: 0, atMs: 1_500 * i }])
  const searcher = catalogue.searcher()
  const search = searcher.search('pdq', others, 31)
  catalogue.remove(id)
  for (const hash of others) t.same(await ask(asked(pdq(hash), area(hash, 'crop'))), [])
  let step = search.next()
  while (step.done !== true) step = search.next()
  t.same(step.value, [])
  searcher.release()
  t.equal(catalogue.index('pdq').liveRows, 1)
  t.equal(catalogue.bankOf(kept), CASES_BANK_NAME)
})

t.test('holding, narrowing and invalidating a video as harmless concern all of its frames', async (t) => {
  const { register, ask, catalogue } = open()
  const video = videoOf(others.map((hash) => [pdq(hash)]))
  const id = register(video)
  const found = async (bits: number) => {
    const answers = await Promise.all(others.map((hash) => ask(asked(pdq(bitsFrom(hash, bits))))))
    return answers.filter(({ length }) => length > 0).length
  }
  const judge = (status: Partial<typeof NO_TRUST_STATUS>) => {
    const needsRows = catalogue.setTrustStatus(id, { ...NO_TRUST_STATUS, ...status })
    if (needsRows) catalogue.put(id, video)
  }
  t.same([await found(10), await found(20)], [20, 20])
  judge({ narrowed: true })
  t.same([await found(10), await found(20)], [20, 0])
  judge({ matches: false })
  t.same([await found(0), catalogue.images, catalogue.silentImages], [0, 0, 1])
  judge({})
  t.equal(await found(20), 20)
  const copies = videoOf(others.map((hash) => [pdq(bitsFrom(hash, 8))]))
  register(copies)
  judge({ matches: false, harmless: true })
  t.equal(await found(2), 20, 'the copy in another case is found')
  t.same([catalogue.images, catalogue.silentImages], [2, 1])
})

t.test('of a narrowed video, only a frame that the query copies is reported', async (t) => {
  const { register, ask, catalogue } = open()
  const block = hashNamed('block')
  const rows: Row[] = [pdq(bitsFrom(scene, 20)), { type: 'blockhash', view: 'whole', hash: block }]
  const id = register(videoOf([rows, [pdq(bitsFrom(scene, 12))]]))
  const query = asked(pdq(scene), { type: 'blockhash', view: 'whole', hash: block })
  t.same(await ask(query), [{ grade: 'strong', distanceBits: 20, atMs: 0 }])
  catalogue.setTrustStatus(id, { ...NO_TRUST_STATUS, narrowed: true })
  t.same(await ask(query), [{ grade: 'near', distanceBits: 12, atMs: 1_500 }])
})

t.test('a video with thousands of near frames displaces no other image of its case', async (t) => {
  const { catalogue, ask } = open()
  const idOf = (n: number) => `aaaaaaaa-aaaa-8000-8000-${String(n).padStart(12, '0')}`
  const frames = Array.from({ length: 3_000 }, (_, i) => [pdq(bitsFrom(scene, 2 + (i % 20)))])
  catalogue.put(idOf(1), videoOf(frames))
  catalogue.put(idOf(2), videoOf(frames))
  catalogue.put(idOf(3), imageWith([{ ...pdq(bitsFrom(scene, 24)), quality: 100 }]))
  t.same(await ask(asked(pdq(scene))), [
    { grade: 'near', distanceBits: 2, atMs: 0 },
    { grade: 'near', distanceBits: 2, atMs: 0 },
    { grade: 'near', distanceBits: 24, atMs: undefined },
  ])
})

t.test('a query is observed once per video, by what its answer reveals', async (t) => {
  let seen: readonly Observation[] = []
  const world = open({
    isOn: true,
    observe: createObserved,
    count(_, observations) {
      seen = observations
      return undefined
    },
  })
  const observed = async (...bits: readonly number[]) => {
    const id = world.register(videoOf(bits.map((each) => [pdq(bitsFrom(scene, each))])))
    const matches = await world.ask(asked(pdq(scene)))
    world.catalogue.remove(id)
    t.equal(seen.length, 1)
    t.equal(seen[0]?.imageId, id)
    return [matches.length, seen[0]?.distanceBits, seen[0]?.edge]
  }
  t.same(await observed(8), [1, 8, 'none'])
  t.same(await observed(8, 31), [1, 8, 'none'], 'a frame at the edge that the answer does not depend on')
  t.same(await observed(8, 32), [1, 8, 'none'], 'a frame just beyond the edge')
  t.same(await observed(8, 9), [1, 8, 'inner'], 'the moment reveals which of two is nearer')
  t.same(await observed(30, 8), [1, 8, 'none'])
  t.same(await observed(30, 60), [1, 30, 'outer'])
  t.same(await observed(33, 60), [0, undefined, 'outer'])
  t.same(await observed(0, 1), [1, 0, 'none'])
  const [alone] = await Promise.all([observed(20)])
  const marks = seen[0]?.marks
  t.same(alone, [1, 20, 'none'])
  await observed(20, 20)
  t.notSame(seen[0]?.marks, marks, 'a query near another number of frames is another query')
})

t.test('a coarse answer reveals no moment', async (t) => {
  const { createProbingGuard } = await import('../../src/services/matching/probing/probing-guard.js')
  const guard = createProbingGuard({
    budget: {
      charge: () => undefined,
      restrictionOf: () => ({ isCoarse: true, isBlurred: false }),
      blurredFor: () => undefined,
      isSuspect: () => false,
      close: async () => {},
    },
    mode: 'limit',
    events: { add: async () => undefined },
    now: () => 0,
    onError() {},
  } as unknown as Parameters<typeof createProbingGuard>[0])
  const { register, ask } = open(guard)
  register(videoOf([[pdq(bitsFrom(scene, 6))]]))
  t.same(await ask(asked(pdq(scene))), [{ grade: 'near', distanceBits: 31, atMs: undefined }])
})

t.test('a submitted video is harmless if all of its frames are; the check stops at the first that is not', async (t) => {
  const { catalogue, register } = open()
  catalogue.banks.set(HARMLESS_BANK_NAME, {
    name: HARMLESS_BANK_NAME,
    purpose: 'harmless',
    thresholdBits: {},
  } as unknown as Parameters<typeof catalogue.banks.set>[1])
  register(
    videoOf(
      others.map((hash) => [pdq(hash)]),
      HARMLESS_BANK_NAME,
    ),
  )
  let searches = 0
  const isHarmless = async (hashes: readonly Hash256[]) => {
    searches = 0
    const { signals } = videoOf(hashes.map((hash) => [pdq(hash)]))
    const judged = await harmlessAmong(
      () => catalogue,
      [signals],
      () => {
        searches++
        return undefined
      },
    )
    return judged[0]
  }
  t.ok(await isHarmless(others))
  t.equal(searches, others.length)
  t.notOk(await isHarmless([...others, scene]))
  t.notOk(await isHarmless([scene, ...others]))
  t.equal(searches, 1)
})
