// Distances to an image whose probing budget is used up are blurred, wherever they decide something.

import { randomBytes } from 'node:crypto'
import t from 'tap'
import { formatUuid, uuidV7 } from '../../packages/core/src/ids.js'
import { HARMLESS_BANK_NAME } from '../../packages/core/src/matching/bank.js'
import { COPY_BITS } from '../../packages/core/src/matching/copies.js'
import type { HashedSignal } from '../../packages/core/src/matching/hashed-image.js'
import type { RegisteredImage } from '../../packages/core/src/matching/signal.js'
import type { AskedView } from '../../packages/hash/src/details/features.js'
import type { Hash256 } from '../../packages/hash/src/hash256.js'
import { NO_TRUST_STATUS } from '../../src/domain/trust/trust.js'
import { Catalogue } from '../../src/services/index/catalogue.js'
import type { FoundByDetails } from '../../src/services/matching/details/detail-finder.js'
import { accountOfDetails, createDetailsStep } from '../../src/services/matching/details/match-by-details.js'
import { type Blur, MAX_BLUR_BITS } from '../../src/services/matching/hit-distance.js'
import type { MatchOptions } from '../../src/services/matching/match.js'
import type { MatchedImage } from '../../src/services/matching/match-recorder.js'
import { createBlur } from '../../src/services/matching/probing/blur.js'
import { digestOf } from '../../src/services/matching/query-digest.js'
import { bareMatcher, matchesOf, probingThatSees } from '../helpers/bare-matcher.js'
import { bitsFrom, hashNamed } from '../helpers/hashes.js'
import { imageWith } from '../helpers/registered-image.js'

const ASKING = { orgId: 'org', banks: undefined, thresholdBits: undefined }
const MAX_BITS = 90

function asked(type: HashedSignal['type'], view: HashedSignal['view'], name: string, bits: number): HashedSignal {
  return { type, view, quality: 100, hashes: [bitsFrom(hashNamed(name), bits)] }
}

function row(type: 'pdq' | 'pdq-area', view: 'whole' | 'crop', name: string, bits = 0) {
  return { type, view, quality: 100, hash: bitsFrom(hashNamed(name), bits) } as const
}

/** A matcher over these images. The first is blurred by so many bits. */
function worldOf(images: readonly RegisteredImage[], by: number) {
  const catalogue = new Catalogue()
  const ids = images.map(() => formatUuid(randomBytes(16)))
  for (const [i, id] of ids.entries()) catalogue.put(id, images[i] ?? PICTURE)
  const blur: Blur = { bitsOf: (id) => (id === ids[0] ? by : 0), detailsOf: () => 0 }
  const probing = { ...probingThatSees(() => undefined), blurOf: () => (by === 0 ? undefined : blur) }
  return bareMatcher({ replica: { catalogue }, probing })
}

interface Path {
  readonly images?: readonly RegisteredImage[]
  readonly query: (bits: number) => readonly HashedSignal[]
  readonly options?: Partial<MatchOptions>
  /** Pictures asked about in the same call. */
  readonly beside?: number
  /** By how much the limit is lower; by default as the blur. */
  readonly lower?: (by: number) => number
}

const PICTURE = imageWith([row('pdq', 'whole', 'pdq'), row('pdq-area', 'whole', 'area'), row('pdq-area', 'crop', 'part')])
const HARMLESS = { ...imageWith([row('pdq', 'whole', 'pdq', 40)]), bank: HARMLESS_BANK_NAME }
const UNLIKE = Array.from({ length: 10 }, (_, i) => asked('pdq-area', 'piece', `unlike ${i}`, 0))

const PATHS: Readonly<Record<string, Path>> = {
  'the whole': { query: (bits) => [asked('pdq', 'whole', 'pdq', bits)] },
  'one of many in a call': { query: (bits) => [asked('pdq', 'whole', 'pdq', bits)], beside: 3 },
  'a part': { query: (bits) => [asked('pdq-area', 'deframed', 'part', bits)] },
  'a part of a picture with many views, which a first pass finds': {
    query: (bits) => [asked('pdq-area', 'deframed', 'part', bits), ...UNLIKE],
  },
  'a radius that the caller gave': {
    query: (bits) => [asked('pdq', 'whole', 'pdq', bits)],
    options: { thresholdBits: 25 },
  },
  // Each bit farther from the picture is one nearer to the harmless one.
  'beside a harmless picture': {
    images: [PICTURE, HARMLESS],
    query: (bits) => [asked('pdq', 'whole', 'pdq', bits)],
    lower: (by) => by >> 1,
  },
  'two views that do not decide alone': {
    query: (bits) => [asked('pdq-area', 'whole', 'area', 45), asked('pdq-area', 'deframed', 'part', bits)],
    // Half of the blur counts in each, as far as one of the two is within match distance.
    lower: (by) => (by <= 7 ? by >> 1 : 60 - (52 - by)),
  },
}

t.test('an image is found up to as many bits less as its distances are blurred, on every path', async (t) => {
  for (const [name, { images = [PICTURE], query, options, beside = 0, lower = (by: number) => by }] of Object.entries(
    PATHS,
  )) {
    const others = Array.from({ length: beside }, (_, i) => [asked('pdq', 'whole', `other ${i}`, 0)])
    const limitOf = async (by: number) => {
      const matcher = worldOf(images, by)
      const isFound = async (bits: number) => {
        const [, ...rest] = [[], ...(await matchesOf(matcher, [...others, query(bits)], { ...ASKING, ...options }))]
        return rest.at(-1)?.some(({ grade }) => grade !== 'review' || options !== undefined) === true
      }
      let bits = MAX_BITS
      while (bits >= 0 && !(await isFound(bits))) bits--
      if (bits < 0) t.fail(`${name}: not even an equal hash is found`)
      for (let nearer = 0; nearer < bits; nearer += 5)
        if (!(await isFound(nearer))) t.fail(`${name}: ${nearer} bits are lost`)
      return bits
    }
    const usual = await limitOf(0)
    for (const by of [1, 7, MAX_BLUR_BITS]) t.equal(await limitOf(by), usual - lower(by), `${name}, by ${by} bits`)
  }
})

t.test('an equal hash is found, and exact, however much is blurred', async (t) => {
  const image = imageWith([row('pdq', 'whole', 'pdq'), { ...row('pdq', 'whole', 'block'), type: 'blockhash' }])
  const query = [asked('pdq', 'whole', 'pdq', 0), asked('blockhash', 'whole', 'block', 0)]
  const [[match] = []] = await matchesOf(worldOf([image], MAX_BLUR_BITS), [query], ASKING)
  t.equal(match?.grade, 'exact')
})

t.test('an equal whole is no longer exact where the pieces are of another picture', async (t) => {
  const area = (of: string) => Array.from({ length: 8 }, (_, i) => hashNamed(`${of} ${i}`))
  const registered = area('hers').map((hash) => ({ type: 'pdq-area', view: 'piece', quality: 100, hash }) as const)
  const block = { ...row('pdq', 'whole', 'block'), type: 'blockhash' } as const
  const image = imageWith([row('pdq', 'whole', 'pdq'), block, ...registered])
  const whole = [asked('pdq', 'whole', 'pdq', 0), asked('blockhash', 'whole', 'block', 0)]
  const gradeOf = async (hashes: readonly Hash256[]) => {
    const pieces = hashes.map((hash): HashedSignal => ({ type: 'pdq-area', view: 'piece', quality: 100, hashes: [hash] }))
    const [[match] = []] = await matchesOf(worldOf([image], 0), [[...whole, ...pieces]], ASKING)
    return match?.grade
  }
  t.equal(await gradeOf(area('hers')), 'exact')
  const [first = hashNamed(''), ...others] = area('hers')
  t.equal(await gradeOf([bitsFrom(first, 14), ...others]), 'exact', 'saved again')
  t.equal(await gradeOf([bitsFrom(first, 16), ...others]), 'near', 'other words on the same picture')
  t.equal(await gradeOf(area('other')), 'near', 'a picture that was bent to the same PDQ')
})

t.test('a query that uses the budget up is blurred itself, and is counted once', async (t) => {
  const catalogue = new Catalogue()
  catalogue.put(uuidV7(1, randomBytes(10)), PICTURE)
  let counts = 0
  const probing = probingThatSees(() => {
    counts++
    return (_, match) => match
  })
  const blur: Blur = { bitsOf: () => 10, detailsOf: () => 0 }
  const matcher = bareMatcher({
    replica: { catalogue },
    probing: { ...probing, blurOf: () => (counts > 0 ? blur : undefined) },
  })
  const [matches] = await matchesOf(matcher, [[asked('pdq', 'whole', 'pdq', 30)]], ASKING)
  t.same([matches, counts], [[], 1])
})

t.test('a narrowed image is found by all of its nearer copies, and each counts as one', async (t) => {
  const noted: (readonly MatchedImage[])[] = []
  const reach = async (by: number) => {
    const catalogue = new Catalogue()
    const id = uuidV7(1, randomBytes(10))
    catalogue.put(id, { ...PICTURE, signals: [...PICTURE.signals, { ...row('pdq', 'whole', 'block'), type: 'blockhash' }] })
    catalogue.setTrustStatus(id, { ...NO_TRUST_STATUS, narrowed: true })
    const probing = { ...probingThatSees(() => undefined), blurOf: () => ({ bitsOf: () => by, detailsOf: () => 0 }) }
    const matchEvents = { note: (_: string, matched: readonly MatchedImage[]) => void noted.push(matched) }
    const matcher = bareMatcher({ replica: { catalogue }, probing, matchEvents })
    const parts = [asked('pdq-area', 'whole', 'area', 0), asked('pdq-area', 'deframed', 'part', 0)]
    const query = (bits: number) => [asked('pdq', 'whole', 'pdq', bits), asked('blockhash', 'whole', 'block', 0), ...parts]
    let bits = MAX_BITS
    while (bits >= 0 && (await matchesOf(matcher, [query(bits)], ASKING))[0]?.length === 0) bits--
    return bits
  }
  t.equal(await reach(0), COPY_BITS)
  for (const by of [1, 8, MAX_BLUR_BITS]) t.ok((await reach(by)) >= COPY_BITS, `by ${by} bits`)
  t.same(
    noted.at(-1)?.map(({ look }) => look),
    [undefined],
  )
})

t.test('details have to agree in as many more as the account of details is blurred', async (t) => {
  const catalogue = new Catalogue()
  const id = uuidV7(1, randomBytes(10))
  catalogue.put(id, PICTURE)
  const isFound = async (surplus: number, by: number) => {
    const image = catalogue.image(0)
    if (image === undefined) throw new Error('it is registered')
    const region = { left: 0, top: 0, right: 1, bottom: 1 }
    const found: FoundByDetails = {
      ...{ ordinal: 0, image, inliers: 8 + surplus, surplus, distanceBits: 20, region, isMirrored: false, isAtEdge: false },
    }
    const blur: Blur = { bitsOf: () => 0, detailsOf: (account) => (account === accountOfDetails(id) ? by : 0) }
    const matcher = bareMatcher({
      replica: { catalogue },
      details: createDetailsStep({ find: async () => [found] }),
      probing: { ...probingThatSees(() => undefined), blurOf: () => blur },
    })
    const views: AskedView[] = []
    const [matches] = await matchesOf(matcher, [{ signals: [asked('pdq', 'whole', 'unlike', 0)], views }], ASKING)
    return matches?.length === 1
  }
  t.same([await isFound(0, 0), await isFound(0, 1), await isFound(6, 7), await isFound(7, 7)], [true, false, false, true])
})

t.test('the blur of a query is the same whenever it is repeated, and differs by image, query and key', async (t) => {
  const two = [hashNamed('one orientation'), hashNamed('another')]
  const query = (name: string, hashes: readonly Hash256[]): HashedSignal[] => [
    asked('pdq', 'whole', name, 0),
    { ...asked('pdq-area', 'whole', 'area', 0), hashes },
  ]
  const blurOf = (secret: number, name: string, hashes = two) => {
    const blur = createBlur(
      Buffer.alloc(32, secret),
      (imageId) => !imageId.startsWith('other'),
      () => digestOf(query(name, hashes)),
    )
    return (prefix: string) => Array.from({ length: 400 }, (_, i) => blur.bitsOf(`${prefix} ${i}`))
  }
  const bits = blurOf(1, 'a')('image')
  t.same(blurOf(1, 'a')('image'), bits)
  t.notSame(blurOf(1, 'b')('image'), bits, 'another query')
  t.notSame(blurOf(1, 'a', [hashNamed('one orientation'), hashNamed('a third')])('image'), bits, 'another of its hashes')
  t.notSame(blurOf(2, 'a')('image'), bits, 'another key')
  t.same(new Set(blurOf(1, 'a')('other')), new Set([0]), 'images that are not blurred')
  const times = new Map<number, number>()
  for (const one of bits) times.set(one, (times.get(one) ?? 0) + 1)
  t.same(
    [...times.keys()].sort((a, b) => a - b),
    Array.from({ length: 16 }, (_, one) => one),
    'at most half of 31 bits',
  )
  t.ok(Math.max(...times.values()) < 70, 'each about as often')
  const details = Array.from({ length: 400 }, (_, i) =>
    createBlur(
      Buffer.alloc(32, 1),
      () => true,
      () => digestOf(query('a', two)),
    ).detailsOf(`details ${i}`),
  )
  const share = (wanted: number) => details.filter((one) => one === wanted).length / details.length
  t.same([...new Set(details)].sort(), [0, 1, 2, 3, 4, 5, 6, 7])
  t.ok(share(0) < 0.09 && share(7) < 0.09 && share(3) > 0.12, 'of details, the ends are rare')
})
