import { randomBytes } from 'node:crypto'
import t from 'tap'
import { uuidV7 } from '../../packages/core/src/ids.js'
import { type Bank, CASES_BANK_NAME, HARMLESS_BANK_NAME } from '../../packages/core/src/matching/bank.js'
import { MAX_SEGMENTS } from '../../packages/core/src/matching/segments.js'
import type { RegisteredImage } from '../../packages/core/src/matching/signal.js'
import { type Hash256, hashFromBytes } from '../../packages/hash/src/hash256.js'
import { Catalogue } from '../../src/services/index/catalogue.js'
import { createEventLoopScheduler, LOOP } from '../../src/services/load/event-loop-scheduler.js'
import { harmlessStep } from '../../src/services/matching/harmless/harmless-filter.js'
import { createMatchIds } from '../../src/services/matching/match-ids.js'
import type { MatchedImage } from '../../src/services/matching/match-recorder.js'
import { NO_PROBING } from '../../src/services/matching/match-steps.js'
import type { Observation } from '../../src/services/matching/observing.js'
import {
  createVideoMatcher,
  type VideoMatcherParts,
  type VideoMatchOptions,
} from '../../src/services/matching/video/video-matcher.js'
import { bareMatcher, matchesOf, matchesOfVideos, probingThatSees, viewIdOf } from '../helpers/bare-matcher.js'
import { askedClip, askedSignals, EDITS, type Excerpt, registeredClip, registeredFrame } from '../helpers/clips.js'
import { bitsFrom, hashNamed } from '../helpers/hashes.js'
import { imageWith } from '../helpers/registered-image.js'

const ASKING: VideoMatchOptions = { orgId: 'org', banks: undefined, thresholdBits: undefined }
const matchIds = createMatchIds(Buffer.alloc(32, 1))
const [film, other] = [registeredClip(1, 8), registeredClip(2, 6)]

function worldOf(images: readonly RegisteredImage[], parts: Partial<VideoMatcherParts> = {}) {
  const catalogue = new Catalogue()
  const ids = images.map((image) => {
    const id = uuidV7(Date.now(), randomBytes(10))
    catalogue.put(id, image)
    return id
  })
  const noted: { matched: readonly MatchedImage[]; context: string | undefined }[] = []
  const replica = { catalogue }
  const matcher = createVideoMatcher({
    harmless: harmlessStep,
    replica,
    matchIds,
    viewIdOf,
    matchEvents: { note: (_, matched, context) => void noted.push({ matched, context }) },
    probing: NO_PROBING,
    scheduler: createEventLoopScheduler(LOOP, () => performance.now()),
    ...parts,
  })
  const ask = async (frames: ReturnType<typeof askedClip>, options = {}) => {
    const [matches = []] = await matchesOfVideos(matcher, [{ frames }], { ...ASKING, ...options })
    return matches
  }
  return { catalogue, ids, matcher, noted, ask, replica, matchIdOf: (i: number) => matchIds.idFor('org', ids[i] ?? '') }
}

t.test('an excerpt is found with its moments, however it was edited', async (t) => {
  const { ask, matchIdOf } = worldOf([film, other])
  const span = (from: number, to: number) => ({ fromMs: from * 1000, toMs: to * 1000 })
  const cases: readonly [string, Partial<Excerpt>, object][] = [
    ['as it is', {}, { speed: 1, registered: span(3, 7) }],
    ['darker', { edit: EDITS.darker }, { speed: 1, registered: span(3, 7) }],
    ['mirrored', { edit: EDITS.mirrored }, { speed: 1, registered: span(3, 7), transform: 'flipY' }],
    ['letterboxed', { edit: EDITS.letterbox }, { speed: 1, registered: span(3, 7) }],
    ['backwards', { speed: -1, fromMs: 7000 }, { speed: -1, registered: span(3, 7) }],
  ]
  for (const [name, excerpt, segment] of cases) {
    const matches = await ask(askedClip({ clip: 1, fromMs: 3000, seconds: 4.5, ...excerpt }))
    t.equal(matches.length, 1, name)
    t.match(matches, [{ matchId: matchIdOf(0), grade: /strong|near|exact/, segments: [segment] }], name)
    t.notOk('atMs' in (matches[0] ?? {}))
  }
  t.same(await ask(askedClip({ clip: 3, fromMs: 0, seconds: 4 })), [], 'an unknown clip is not found')
  t.same(await ask([]), [])
})

t.test('two films in one file are both found, the nearest first', async (t) => {
  const { ask, matchIdOf } = worldOf([film, other])
  const matches = await ask([
    ...askedClip({ clip: 3, fromMs: 0, seconds: 2 }),
    ...askedClip({ clip: 2, fromMs: 3000, seconds: 3, atMs: 2000 }),
    ...askedClip({ clip: 1, fromMs: 1000, seconds: 4, atMs: 5000 }),
  ])
  t.same(matches.map(({ matchId }) => matchId).sort(), [matchIdOf(0), matchIdOf(1)].sort())
  const ofOther = matches.find(({ matchId }) => matchId === matchIdOf(1))
  t.match(ofOther?.segments, [{ query: { fromMs: 2000, toMs: 4000 }, registered: { fromMs: 3000, toMs: 5000 } }])
  t.ok((matches[0]?.distanceBits ?? 0) <= (matches[1]?.distanceBits ?? 0))
})

t.test('pictures are found in videos, and videos by pictures', async (t) => {
  const still = imageWith(registeredFrame(1, 5000))
  const { ask, catalogue, matchIdOf } = worldOf([still, film])
  const matches = await ask(askedClip({ clip: 1, fromMs: 3000, seconds: 3 }))
  const ofStill = matches.find(({ matchId }) => matchId === matchIdOf(0))
  t.match(ofStill, { grade: 'near', queryMs: 2000, segments: undefined })

  const pictures = bareMatcher({ replica: { catalogue } })
  const [found = []] = await matchesOf(pictures, [askedSignals(1, 5000, EDITS.darker)], ASKING)
  t.equal(found.length, 2, 'each once, although several frames are near')
  t.match(
    found.find(({ matchId }) => matchId === matchIdOf(1)),
    { atMs: 5000 },
  )
  t.equal(found.find(({ matchId }) => matchId === matchIdOf(0))?.atMs, undefined)
})

t.test('a picture near several frames of a video matches it once, by the nearest', async (t) => {
  const hash = hashNamed('still')
  const filmWith = (bits: readonly number[]) => {
    const signals = bits.map(
      (far, frame) => ({ type: 'pdq', view: 'whole', quality: 90, hash: bitsFrom(hash, far), frame }) as const,
    )
    return { ...imageWith(signals), video: { durationMs: 9000, framesAtMs: bits.map((_, i) => i * 2400) } }
  }
  const seen: Observation[] = []
  const probing = probingThatSees((all) => void seen.push(...all))
  const ask = async (bits: readonly number[]) => {
    const { catalogue } = worldOf([filmWith(bits)])
    const asked = [{ type: 'pdq', view: 'whole', quality: 90, hashes: [hash] } as const]
    const [matches] = await matchesOf(bareMatcher({ replica: { catalogue }, probing }), [asked], ASKING)
    return [matches?.map(({ distanceBits, atMs }) => [distanceBits, atMs]), seen.splice(0).map(({ edge }) => edge)]
  }
  t.same(await ask([20, 8, 29]), [[[8, 2400]], ['none']])
  t.same(await ask([8, 10]), [[[8, 0]], ['inner']], 'the time reveals which of two is nearer')
  t.same(await ask([33, 40]), [[], ['outer']])
})

/** A video of drawn hashes: frames two seconds apart, each with PDQ of the whole and one more view. */
function hashedFilm(frames: number, bank = CASES_BANK_NAME): RegisteredImage {
  const framesAtMs = Array.from({ length: frames }, (_, i) => i * 2000)
  const signals = framesAtMs.flatMap((_, frame) => [
    { type: 'pdq', view: 'whole', quality: 90, hash: hashNamed(`whole ${frame}`), frame } as const,
    { type: 'pdq-area', view: 'whole', quality: 90, hash: hashNamed(`area ${frame}`), frame } as const,
  ])
  return { ...imageWith(signals), bank, video: { durationMs: frames * 2000, framesAtMs } }
}

/** Its frames as a query, `bits` away, with PDQ of the whole out of reach. */
function askedFilm(bits: readonly number[], quality = 90) {
  return bits.map((far, frame) => ({
    atMs: frame * 2000,
    signals: [
      { type: 'pdq', view: 'whole', quality: 90, hashes: [hashNamed(`asked ${frame}`)] } as const,
      { type: 'pdq-area', view: 'whole', quality, hashes: [bitsFrom(hashNamed(`area ${frame}`), far)] } as const,
    ],
  }))
}

t.test('frames too far to match as pictures are a near match if two are in line', async (t) => {
  const { ask } = worldOf([hashedFilm(4)])
  const line = { query: { fromMs: 0, toMs: 2000 }, registered: { fromMs: 0, toMs: 2000 } }
  t.match(await ask(askedFilm([56, 55])), [
    { grade: 'near', distanceBits: 55, distanceBand: '46-60', view: 'whole', segments: [{ ...line, frames: 2, speed: 1 }] },
  ])
  t.same(await ask(askedFilm([57, 40].map((bits) => bits + 3))), [], 'one alone is not enough')
  t.same(await ask(askedFilm([57, 57])), [])
  t.same(await ask(askedFilm([50, 50], 60)), [], 'two plain frames are not enough')
  t.match(
    await ask(askedFilm([34, 34, 34, 34], 60)),
    [{ segments: [{ frames: 4 }] }],
    'plain frames that decide alone match',
  )
  t.match(await ask(askedFilm([42])), [{ grade: 'near', segments: [{ frames: 1 }] }], 'one frame that decides alone matches')
  t.same(await ask(askedFilm([50, 50]), { thresholdBits: 45 }), [], 'a smaller radius of the caller applies')
  t.equal((await ask(askedFilm([45, 45]), { thresholdBits: 45 })).length, 1)
})

t.test('a smaller threshold of a bank applies to lines', async (t) => {
  const bank: Bank = {
    ...{ name: 'narrow', purpose: 'match', orgId: 'owner', createdAtMs: 1 },
    thresholdBits: { 'pdq-area': 46 },
  }
  const { ask, catalogue } = worldOf([])
  catalogue.banks.set(bank.name, bank)
  catalogue.put(uuidV7(1, randomBytes(10)), hashedFilm(3, 'narrow'))
  t.equal((await ask(askedFilm([46, 46]))).length, 1)
  t.same(await ask(askedFilm([46, 47])), [])
  const probing = probingThatSees(() => undefined)
  const observing = worldOf([], { probing })
  observing.catalogue.banks.set(bank.name, bank)
  observing.catalogue.put(uuidV7(1, randomBytes(10)), hashedFilm(3, 'narrow'))
  t.same(await observing.ask(askedFilm([46, 47])), [], 'also where the search goes a little farther')
})

t.test('a harmless picture vetoes the frames that are nearer to it', async (t) => {
  const signals = [{ type: 'pdq-area', view: 'whole', quality: 90, hash: bitsFrom(hashNamed('area 0'), 50) } as const]
  const harmless = { ...imageWith(signals), bank: HARMLESS_BANK_NAME }
  t.equal((await worldOf([hashedFilm(2)]).ask(askedFilm([50, 50]))).length, 1)
  t.same(await worldOf([hashedFilm(2), harmless]).ask(askedFilm([50, 50])), [])
})

t.test('a video is one query to the probing guard and the match events, however many frames are near', async (t) => {
  const seen: (readonly Observation[])[] = []
  const probing = probingThatSees((all) => void seen.push(all))
  const { matcher, noted, ids } = worldOf([film, other], { probing })
  const frames = askedClip({ clip: 1, fromMs: 2000, seconds: 6, edit: EDITS.darker })
  await matchesOfVideos(
    matcher,
    [
      { frames, context: 'here' },
      { frames: [], context: 'there' },
    ],
    ASKING,
  )
  t.equal(seen.length, 2)
  t.same(
    seen.map((all) => all.map(({ imageId }) => imageId)),
    [[ids[0]], []],
  )
  t.match(noted, [{ matched: [{ imageId: ids[0] }], context: 'here' }])
  t.equal(noted.length, 1)
})

t.test('a line near its limit counts as an edge on both sides, and one well within does not', async (t) => {
  const edgeOf = async (bits: readonly number[]) => {
    let edge: string | undefined
    const probing = probingThatSees(([first]) => {
      edge = first?.edge
      return undefined
    })
    const found = await worldOf([hashedFilm(4)], { probing }).ask(askedFilm(bits))
    return [found.length, edge]
  }
  t.same(await edgeOf([50, 55]), [1, 'outer'])
  t.same(await edgeOf([50, 57]), [0, 'outer'])
  t.same(await edgeOf([50, 60]), [0, 'none'])
  t.same(await edgeOf([50, 50]), [1, 'none'])
  t.same(await edgeOf([43, 50]), [1, 'none'], 'a frame that decides alone')
  t.same(await edgeOf([50, 50, 55]), [1, 'inner'], 'of where the segment ends')
})

t.test('distances to the frames of a blurred film all grow by as much, except those of equal ones', async (t) => {
  const blurredBy = (bits: number) => {
    const blur = { bitsOf: () => bits, detailsOf: () => 0 }
    return worldOf([hashedFilm(3)], { probing: { ...probingThatSees(() => undefined), blurOf: () => blur } })
  }
  const limitOf = async (by: number) => {
    const { ask } = blurredBy(by)
    t.equal((await ask(askedFilm([0, 0, 0]))).length, 1, 'equal frames')
    let bits = 60
    while ((await ask(askedFilm([bits, bits, bits]))).length === 0) bits--
    return bits
  }
  const usual = await limitOf(0)
  for (const by of [1, 8, 15]) t.equal(await limitOf(by), usual - by)
})

t.test('a video withdrawn while a query yields is neither reported nor counted', async (t) => {
  const world = worldOf([film, other], {
    scheduler: {
      atEndOfTick: (callback) => callback(),
      yielder: () => () => {
        if (++pauses === 40) world.catalogue.remove(world.ids[0] ?? '')
        return undefined
      },
    },
  })
  let pauses = 0
  const frames = [1, 2].flatMap((clip, i) => askedClip({ clip, fromMs: 0, seconds: 2, atMs: i * 2000 }))
  const matches = await world.ask(frames)
  t.same(
    matches.map(({ matchId }) => matchId),
    [world.matchIdOf(1)],
  )
  t.same(
    world.noted.map(({ matched }) => matched.map(({ imageId }) => imageId)),
    [[world.ids[1]]],
  )
  const replaced = worldOf([film], {
    scheduler: {
      atEndOfTick: (callback) => callback(),
      yielder: () => () => {
        replaced.replica.catalogue = new Catalogue()
        return undefined
      },
    },
  })
  await t.rejects(replaced.ask(frames), { code: 'index-loading' })
})

t.test('a video of near-identical frames is answered in bounded steps', async (t) => {
  const hash = hashNamed('static')
  const alike = (i: number): Hash256 => hashFromBytes(hash.map((byte, at) => (at === i % 32 ? byte ^ (1 << (i % 8)) : byte)))
  const framesAtMs = Array.from({ length: 300 }, (_, i) => i * 500)
  const signals = framesAtMs.map(
    (_, frame) => ({ type: 'pdq', view: 'whole', quality: 90, hash: alike(frame), frame }) as const,
  )
  const frames = framesAtMs.map((atMs, i) => ({
    atMs,
    signals: [{ type: 'pdq', view: 'whole', quality: 90, hashes: [alike(i * 7)] } as const],
  }))
  let steps = 0
  const scheduler = { atEndOfTick: (callback: () => void) => callback(), yielder: () => () => void steps++ }
  const { ask } = worldOf([{ ...imageWith(signals), video: { durationMs: 150_000, framesAtMs } }], { scheduler })
  const [match] = await ask(frames)
  t.ok((match?.segments?.length ?? 0) > 0 && (match?.segments?.length ?? 0) <= MAX_SEGMENTS)
  t.ok(steps < 20_000, `${steps} steps`)
})
