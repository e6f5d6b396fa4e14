// Grades that keep their goals for each upload, at the size that the registry has.

import { randomBytes } from 'node:crypto'
import t from 'tap'
import { uuidV7 } from '../../packages/core/src/ids.js'
import { type Bank, CASES_BANK } from '../../packages/core/src/matching/bank.js'
import type { HashedSignal } from '../../packages/core/src/matching/hashed-image.js'
import { perUpload } from '../../packages/core/src/matching/registry-size.js'
import type { RegisteredImage } from '../../packages/core/src/matching/signal.js'
import { Catalogue } from '../../src/services/index/catalogue.js'
import type { DetailFinder } from '../../src/services/matching/details/detail-finder.js'
import { createDetailsStep } from '../../src/services/matching/details/match-by-details.js'
import type { MatchOptions } from '../../src/services/matching/match.js'
import type { Observation } from '../../src/services/matching/observing.js'
import { createVideoMatcher } from '../../src/services/matching/video/video-matcher.js'
import { BARE, bareMatcher, matchesOf, matchesOfVideos, probingThatSees } from '../helpers/bare-matcher.js'
import { bitsFrom, hashNamed } from '../helpers/hashes.js'
import { imageWith } from '../helpers/registered-image.js'

const ASKING = { orgId: 'org', banks: undefined, thresholdBits: undefined, grading: 'per-upload' } as const
const MILLION = 1_000_000

type Part = readonly [HashedSignal['type'], HashedSignal['view'], string, bits?: number]

/** One picture in a registry that says it has so many. */
function registryOf(images: number, image: RegisteredImage) {
  const catalogue = new Catalogue()
  catalogue.put(uuidV7(1, randomBytes(10)), image)
  Object.defineProperty(catalogue, 'images', { value: images })
  return { catalogue }
}

const pictureOf = (parts: readonly Part[]) =>
  imageWith(parts.map(([type, view, name]) => ({ type, view, quality: 100, hash: hashNamed(name) })))
const askedOf = (parts: readonly Part[]) =>
  parts.map(([type, view, name, bits = 0]) => ({ type, view, quality: 100, hashes: [bitsFrom(hashNamed(name), bits)] }))

async function ask(images: number, parts: readonly Part[], options: Partial<MatchOptions> = {}) {
  const matcher = bareMatcher({ replica: registryOf(images, pictureOf(parts)) })
  const [[match] = []] = await matchesOf(matcher, [askedOf(parts)], { ...ASKING, ...options })
  return match && `${match.grade} ${match.signalType} ${match.distanceBits}`
}

t.test('each kind of evidence has to be nearer in a large registry, and only where that was asked for', async (t) => {
  const pdq = (bits: number): readonly Part[] => [['pdq', 'whole', 'a', bits]]
  const area = (bits: number, view: Part[1] = 'whole'): readonly Part[] => [['pdq-area', view, 'b', bits]]
  const confirmed = (parts: readonly Part[]): readonly Part[] => [...parts, ['blockhash', 'whole', 'c', 2]]
  const cases: readonly [string, readonly Part[], today: string | undefined, strict: string | undefined][] = [
    ['a file', [['sha256', 'whole', 'f']], 'exact sha256 0', 'exact sha256 0'],
    ['a file, and its picture', [['sha256', 'whole', 'f'], ...pdq(3)], 'exact sha256 0', 'exact sha256 0'],
    ['the same PDQ', pdq(0), 'near pdq 0', 'near pdq 0'],
    ['the same PDQ and blockhash', confirmed(pdq(0)), 'exact pdq 0', 'near pdq 0'],
    ['PDQ', pdq(7), 'near pdq 7', 'near pdq 7'],
    ['PDQ, farther', pdq(8), 'near pdq 8', undefined],
    ['PDQ and blockhash', confirmed(pdq(7)), 'strong pdq 7', 'near pdq 7'],
    ['a part', area(18), 'near pdq-area 18', 'near pdq-area 18'],
    ['a part, farther', area(19), 'near pdq-area 19', undefined],
    ['a piece', area(16, 'piece'), 'near pdq-area 16', 'near pdq-area 16'],
    ['a piece, farther', area(17, 'piece'), 'near pdq-area 17', undefined],
    ['a part and blockhash', confirmed(area(6)), 'strong pdq-area 6', 'strong pdq-area 6'],
    ['a part and blockhash, farther', confirmed(area(7)), 'strong pdq-area 7', 'near pdq-area 7'],
    ['a part that is near where PDQ is far', [...pdq(28), ...area(10)], 'near pdq 28', 'near pdq-area 10'],
  ]
  for (const [name, parts, today, strict] of cases) {
    t.equal(await ask(MILLION, parts, { grading: 'per-pair' }), today, name)
    t.equal(await ask(MILLION, parts, { grading: undefined }), today, name)
    t.equal(await ask(MILLION, parts), strict, `${name}, per upload`)
    t.equal(await ask(1, parts), today, `${name}, among few`)
  }
  t.equal(await ask(MILLION, pdq(8), { thresholdBits: 31 }), 'review pdq 8', 'for review where that is asked for')
})

/** A registered part that a query without its frame shows. */
async function askTwo(images: number, whole: number, part: number, view: Part[1] = 'crop') {
  const registered: readonly Part[] = [
    ['pdq-area', 'whole', 'w'],
    ['pdq-area', view, 'p'],
  ]
  const asked: readonly Part[] = [
    ['pdq-area', 'whole', 'w', whole],
    ['pdq-area', 'deframed', 'p', part],
  ]
  const matcher = bareMatcher({ replica: registryOf(images, pictureOf(registered)) })
  const [[match] = []] = await matchesOf(matcher, [askedOf(asked)], ASKING)
  return match?.grade
}

t.test('two independent views have to be nearer together', async (t) => {
  t.equal(await askTwo(1, 44, 44), 'strong')
  t.equal(await askTwo(MILLION, 26, 26), 'strong', 'up to 52 bits')
  t.equal(await askTwo(MILLION, 26, 27), 'near')
  t.equal(await askTwo(MILLION, 44, 44), 'near', 'up to 88 bits')
  t.equal(await askTwo(MILLION, 44, 45), undefined)
  t.equal(await askTwo(10 * MILLION, 38, 38), 'near', 'up to 76 bits')
  t.equal(await askTwo(10 * MILLION, 38, 39), undefined)
})

t.test('two parts that are never strong are near by their own sum', async (t) => {
  const registered: readonly Part[] = [
    ['pdq-area', 'deframed', 'w'],
    ['pdq-area', 'deframed', 'p'],
  ]
  const asked: readonly Part[] = [
    ['pdq-area', 'whole', 'w', 44],
    ['pdq-area', 'deframed', 'p', 44],
  ]
  const matcher = bareMatcher({ replica: registryOf(MILLION, pictureOf(registered)) })
  t.match(await matchesOf(matcher, [askedOf(asked)], ASKING), [[{ grade: 'near' }]])
})

t.test('where the same PDQ does not decide, a second view is looked for as far as it may be', async (t) => {
  const registered: readonly Part[] = [
    ['pdq', 'whole', 'a'],
    ['pdq-area', 'whole', 'w'],
    ['pdq-area', 'crop', 'p'],
  ]
  const asked: readonly Part[] = [
    ['pdq', 'whole', 'a'],
    ['pdq-area', 'whole', 'w', 16],
    ['pdq-area', 'deframed', 'p', 56],
  ]
  const matcher = bareMatcher({ replica: registryOf(10 * MILLION, pictureOf(registered)) })
  t.match(await matchesOf(matcher, [askedOf(asked)], ASKING), [[{ grade: 'near', distanceBits: 16 }]])
})

t.test('a match by details is for review where they are too seldom measured', async (t) => {
  let searched = 0
  const finderOf = (catalogue: Catalogue): DetailFinder => ({
    async find() {
      searched++
      const image = catalogue.searcher().image(0)
      const region = { left: 0, top: 0, right: 1, bottom: 1 }
      const found = { ordinal: 0, inliers: 9, distanceBits: 20, region, isMirrored: false, surplus: 1, isAtEdge: false }
      return image === undefined ? [] : [{ ...found, image }]
    },
  })
  const askIn = async (images: number, options: Partial<MatchOptions> = {}) => {
    const replica = registryOf(images, pictureOf([['pdq', 'whole', 'a']]))
    const matcher = bareMatcher({ replica, details: createDetailsStep(finderOf(replica.catalogue)) })
    const asked = askedOf([['pdq', 'whole', 'other']])
    const [[match] = []] = await matchesOf(matcher, [{ signals: asked, views: [] }], { ...ASKING, ...options })
    return match?.grade
  }
  t.equal(await askIn(1000), 'near')
  t.equal(await askIn(MILLION, { grading: 'per-pair' }), 'near')
  t.equal(searched, 2)
  t.equal(await askIn(MILLION), undefined)
  t.equal(searched, 2, 'nobody would see what a search finds')
  t.equal(await askIn(MILLION, { thresholdBits: 20 }), 'review')
})

/** A registered video, frames two seconds apart, as one of so many images. */
function filmIn(images: number) {
  const framesAtMs = [0, 2000, 4000, 6000]
  const signals = framesAtMs.flatMap((_, frame) => [
    { type: 'pdq', view: 'whole', quality: 90, hash: hashNamed(`whole ${frame}`), frame } as const,
    { type: 'pdq-area', view: 'whole', quality: 90, hash: hashNamed(`area ${frame}`), frame } as const,
  ])
  const video = { durationMs: 8000, framesAtMs }
  return registryOf(images, { ...imageWith(signals), video })
}

async function askFilm(
  images: number,
  bits: readonly number[],
  {
    see,
    own,
    ...options
  }: Partial<MatchOptions> & { readonly see?: (all: readonly Observation[]) => void; readonly own?: Bank } = {},
) {
  const probing = probingThatSees((all) => void see?.(all))
  const replica = filmIn(images)
  if (own !== undefined) replica.catalogue.banks.set(own.name, own)
  const matcher = createVideoMatcher({ ...BARE, replica, ...(see !== undefined && { probing }) })
  const frames = bits.map((far, frame) => ({
    atMs: frame * 2000,
    signals: [
      { type: 'pdq', view: 'whole', quality: 90, hashes: [hashNamed(`asked ${frame}`)] } as const,
      { type: 'pdq-area', view: 'whole', quality: 90, hashes: [bitsFrom(hashNamed(`area ${frame}`), far)] } as const,
    ],
  }))
  const [[match] = []] = await matchesOfVideos(matcher, [{ frames }], { ...ASKING, ...options })
  return match && `${match.grade} ${match.segments?.length ?? 0}`
}

t.test('a line of two videos is for review in all but the smallest registries', async (t) => {
  t.equal(await askFilm(16, [50, 50]), 'near 1')
  t.equal(await askFilm(17, [50, 50]), undefined)
  t.equal(await askFilm(17, [50, 50], { grading: 'per-pair' }), 'near 1')
  t.equal(await askFilm(17, [50, 50], { thresholdBits: 56 }), 'review 1')
  t.equal(
    await askFilm(MILLION, [50, 50, 1]),
    'near 1',
    'a frame that is near enough by itself counts, and the line is told',
  )
})

t.test('a frame that its own bank is shown stays in the answer where further frames make a line', async (t) => {
  const own = { ...CASES_BANK, orgId: ASKING.orgId, thresholdBits: { 'pdq-area': 48 } }
  t.equal(await askFilm(MILLION, [47, 99], { own }), 'review 0')
  t.equal(await askFilm(MILLION, [47, 48], { own }), 'review 1')
})

t.test('each frame of a video is compared with everything, so it has to be nearer than a picture', async (t) => {
  const { near } = perUpload(3 * MILLION).tighter
  t.equal(await askFilm(MILLION, [99, 42 - near, 99]), 'near 1')
  t.equal(await askFilm(MILLION, [99, 43 - near, 99]), undefined)
  t.ok(near > perUpload(MILLION).tighter.near)
})

t.test('the distances at which a stricter grade changes count as edges', async (t) => {
  const edgeOf = async (images: number, parts: readonly Part[]) => {
    let edge: string | undefined
    const probing = probingThatSees(([first]) => {
      edge = first?.edge
      return undefined
    })
    const matcher = bareMatcher({ replica: registryOf(images, pictureOf(parts)), probing })
    await matchesOf(matcher, [askedOf(parts)], ASKING)
    return edge
  }
  const area = (bits: number): readonly Part[] => [['pdq-area', 'whole', 'b', bits]]
  t.equal(await edgeOf(1, area(19)), 'none')
  for (const bits of [17, 18, 19, 20]) t.equal(await edgeOf(MILLION, area(bits)), 'outer', `${bits} bits`)
  t.equal(await edgeOf(MILLION, area(24)), 'none')
  const confirmed = (bits: number): readonly Part[] => [...area(bits), ['blockhash', 'whole', 'c', 2]]
  t.equal(await edgeOf(1, confirmed(6)), 'none')
  t.equal(await edgeOf(MILLION, confirmed(6)), 'outer', 'from strong to near')
  const seen: Observation[] = []
  await askFilm(MILLION, [99, 42 - perUpload(3 * MILLION).tighter.near, 99], { see: (all) => void seen.push(...all) })
  t.match(seen, [{ edge: 'outer' }])
})
