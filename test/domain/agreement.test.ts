// Which matches rest on a part of the picture: with hashes made at given distances, and with those of drawn pictures.
import t from 'tap'
import { agreementOf, type Region, type RegisteredView } from '../../packages/core/src/matching/agreement.js'
import { isSurplusClose } from '../../packages/core/src/matching/edges.js'
import type { HashedSignal } from '../../packages/core/src/matching/hashed-image.js'
import type { Hash256 } from '../../packages/hash/src/hash256.js'
import { loadImageHasherSync } from '../../packages/hash/src/image-hasher.js'
import { bitsFrom, hashNamed } from '../helpers/hashes.js'
import { type Pixels, scenePixels } from '../helpers/pictures.js'

const hasher = loadImageHasherSync()
const AS_IS = 0
const SIZE = { width: 512, height: 384 }
const PIECES = ['left', 'right', 'top', 'bottom', 'left top', 'right top', 'left bottom', 'right bottom']
const WHOLE = hashNamed('whole')

function area(view: HashedSignal['view'], hash: Hash256): HashedSignal {
  return { type: 'pdq-area', view, quality: 100, hashes: [hash, hash] }
}

/** A picture whose whole and pieces are at these distances from the registered ones. */
function away(wholeBits: number, piecesBits: readonly number[], more: readonly HashedSignal[] = []): HashedSignal[] {
  const pieces = piecesBits.map((bits, i) => area('piece', bitsFrom(hashNamed(PIECES[i] ?? ''), bits)))
  return [area('whole', bitsFrom(WHOLE, wholeBits)), ...pieces, ...more]
}

const OWN: readonly RegisteredView[] = [
  { view: 'whole', hash: WHOLE },
  ...PIECES.map((name) => ({ view: 'piece', hash: hashNamed(name) }) as const),
]

function agreement(asked: readonly HashedSignal[], rows: readonly RegisteredView[] = OWN) {
  return agreementOf(asked, { pdq: [], area: rows }, AS_IS)
}

t.test('the whole picture agrees if the wholes are very near, or near with each piece near too', async (t) => {
  const far = Array.from(PIECES, () => 110)
  t.equal(agreement(away(16, far))?.surplusBits, 0)
  t.equal(agreement(away(18, far))?.surplusBits, -2)
  t.equal(agreement(away(42, [40, 0, 0, 0, 40, 0, 0, 0]))?.surplusBits, 0)
  t.equal(agreement(away(40, [42, 0, 0, 0, 0, 0, 0, 0]))?.surplusBits, -2)
  t.equal(agreement(away(44, [0, 0, 0, 0, 0, 0, 0, 0]))?.surplusBits, -2)
  t.equal(agreement(away(30, [0, 0, 0, 0]))?.surplusBits, -14, 'four pieces are too few')
})

t.test('an upload with a border agrees by what is inside it', async (t) => {
  const inside = [
    area('deframed', bitsFrom(WHOLE, 30)),
    ...[0, 10, 40].map((bits) => area('piece', bitsFrom(hashNamed('left'), bits))),
  ]
  const far = Array.from(PIECES, () => 110)
  t.equal(agreement(away(100, far, inside))?.surplusBits, 0)
  t.ok((agreement(away(100, far, [area('deframed', bitsFrom(WHOLE, 34)), ...inside.slice(1)]))?.surplusBits ?? 0) < 0)
  t.ok((agreement(away(100, far, inside.slice(0, 3)))?.surplusBits ?? 0) < 0, 'two pieces are too few')
})

t.test('the border of a registered picture counts only if the wholes are nearly equal', async (t) => {
  const framed: RegisteredView[] = [
    { view: 'whole', hash: WHOLE },
    { view: 'deframed', hash: hashNamed('inside') },
    ...OWN.slice(1),
  ]
  const same = Array.from(PIECES, () => 0)
  t.equal(agreement(away(4, same), framed)?.surplusBits, 0)
  t.equal(agreement(away(8, same), framed)?.surplusBits, -4)
})

t.test('pictures without parts have no agreement, and a rotated picture has none either', async (t) => {
  t.equal(agreement([area('whole', WHOLE)]), undefined)
  t.equal(agreement(away(0, [0, 0, 0, 0, 0, 0, 0, 0]), []), undefined)
  const rotated = agreementOf(away(0, [0, 0, 0, 0, 0, 0, 0, 0]), { pdq: [], area: OWN }, 2)
  t.equal(rotated?.surplusBits, Number.NEGATIVE_INFINITY)
})

t.test('pieces may all be far, but not one of them where another is near', async (t) => {
  const even = (pieces: readonly number[], rows = OWN) => agreement(away(10, pieces), rows)?.evenSurplusBits
  t.equal(even([0, 14, 2, 0, 0, 0, 6, 4]), 0, 'a little farther')
  t.equal(even([0, 16, 2, 0, 0, 0, 6, 4]), -2, 'other words in one place')
  t.equal(even([10, 34, 12, 10, 20, 20, 18, 12]), 0, 'more contrast moves all')
  t.equal(even([10, 36, 12, 10, 20, 20, 18, 12]), -2)
  t.equal(even([14, 40, 14, 14, 14, 14, 14, 14]), 0)
  t.equal(even([14, 42, 14, 14, 14, 14, 14, 14]), -2, 'as far as a part that differs')
  t.equal(even([60, 110, 110, 110, 110, 110, 110, 110]), Number.POSITIVE_INFINITY, 'a crop shows other pieces')
  t.equal(even([0, 110, 0, 0, 0, 0, 0, 0]), -96, 'another picture in one half')
  t.equal(even([0, 110, 0, 0, 0, 0, 0], OWN.slice(0, -1)), 14, 'a piece with too little structure was not registered')
  t.equal(even([0, 58, 0, 0, 0, 0, 0], OWN.slice(0, -1)), -44, 'it was registered, and differs')
  t.equal(even([0]), Number.POSITIVE_INFINITY, 'one piece alone')
  t.equal(even([0, 50], OWN.slice(0, 1)), Number.POSITIVE_INFINITY, 'a frame of a video is registered without pieces')
  const rotated = agreementOf(away(0, [0, 50]), { pdq: [], area: OWN }, 2)
  t.equal(rotated?.evenSurplusBits, Number.POSITIVE_INFINITY, 'pieces are asked about in two orientations')
})

t.test('an upload with a border is judged by the pieces of its inside', async (t) => {
  const framed = (...inside: readonly number[]) => [
    area('deframed', hashNamed('inside')),
    ...inside.map((bits, i) => area('piece', bitsFrom(hashNamed(PIECES[i] ?? ''), bits))),
  ]
  const far = Array.from(PIECES, () => 100)
  t.equal(agreement(away(100, far, framed(2, 18, 2, 2)))?.evenSurplusBits, 0)
  t.equal(agreement(away(100, far, framed(2, 20, 2, 2)))?.evenSurplusBits, -2)
  t.equal(agreement(away(4, [0, 16], framed(60, 60, 60, 60)))?.evenSurplusBits, -2, 'what looked like a border was none')
})

t.test('agreeing quarters are reported with their region, and close calls are detected', async (t) => {
  const partial = (quarters: readonly number[]) => agreement(away(40, [99, 99, 99, 99, ...quarters]))
  t.same(partial([58, 60, 99, 99])?.partial, { share: 0.25, region: { left: 0, top: 0, right: 0.5, bottom: 0.5 } })
  t.same(partial([99, 0, 99, 0])?.partial, { share: 0.5, region: { left: 0.5, top: 0, right: 1, bottom: 1 } })
  t.same(partial([0, 99, 99, 0])?.partial, { share: 0.5, region: { left: 0, top: 0, right: 1, bottom: 1 } })
  t.equal(partial([0, 0, 0, 0])?.partial, undefined)
  t.equal(partial([99, 99, 99, 99])?.partial, undefined)
  t.same(
    [56, 57, 58, 59, 60, 61].map((bits) => partial([bits, 99, 0, 0])?.isPartialClose),
    [false, true, true, true, true, false],
  )
  t.same([-3, -2, -1, 0, 1, 2].map(isSurplusClose), [false, true, true, true, true, false])
})

t.test('where no quarter agrees, the nearest part is reported with its place', async (t) => {
  const framed: RegisteredView[] = [
    { view: 'whole', hash: WHOLE },
    { view: 'deframed', hash: hashNamed('inside') },
    ...OWN.slice(1),
  ]
  const [small, large] = [
    { left: 0.1, top: 0.2, right: 0.5, bottom: 0.6 },
    { left: 0, top: 0.1, right: 1, bottom: 0.9 },
  ]
  const placed = (bits: number, part: Region): HashedSignal => ({
    ...area('deframed', bitsFrom(hashNamed('inside'), bits)),
    part,
  })
  const far = Array.from(PIECES, () => 110)
  const of = (more: readonly HashedSignal[], wholeBits = 40) => agreement(away(wholeBits, far, more), framed)
  t.same(of([placed(30, small), placed(34, large)])?.partial, { share: 0.16, region: small })
  t.same(of([placed(34, small), placed(30, large)])?.partial, { share: 0.8, region: large })
  t.same(of([placed(30, small), placed(30, large)])?.partial?.region, large, 'of equally near ones the larger')
  t.equal(of([placed(60, small)])?.partial, undefined, 'too far')
  t.equal(of([area('deframed', hashNamed('inside'))])?.partial, undefined, 'of unknown place')
  t.equal(of([placed(0, small)], 4)?.partial, undefined, 'all parts agree')
  const quarters = [99, 99, 99, 99, 0, 99, 99, 99]
  t.equal(agreement(away(40, quarters, [placed(0, large)]))?.partial?.share, 0.25, 'quarters come first')

  t.equal(of([placed(30, small), placed(34, large)])?.isPartialClose, false)
  t.equal(of([placed(30, small), placed(32, large)])?.isPartialClose, true, 'nearly the other part')
  t.equal(of([placed(34, small), placed(32, large), placed(80, small)])?.isPartialClose, true)
  t.same(
    [54, 56, 58, 60, 62].map((bits) => of([placed(bits, small)])?.isPartialClose),
    [false, false, true, true, false],
    'nearly too far',
  )
  t.same(
    [2, 4, 6, 8].map((wholeBits) => of([placed(30, small)], wholeBits)?.isPartialClose),
    [false, true, true, false],
    'nearly all parts agree',
  )
})

t.test('of a registered picture with a frame, some part has to agree, or the wholes nearly', async (t) => {
  const framed: RegisteredView[] = [
    { view: 'whole', hash: WHOLE },
    { view: 'deframed', hash: hashNamed('inside') },
    ...OWN.slice(1),
  ]
  const far = Array.from(PIECES, () => 110)
  const bits = (wholeBits: number, insideBits: number, rows = framed) =>
    agreement(away(wholeBits, far, [area('deframed', bitsFrom(hashNamed('inside'), insideBits))]), rows)?.withinFrameBits
  t.equal(bits(40, 64), 0)
  t.equal(bits(40, 66), -2)
  t.equal(bits(16, 100), 0)
  t.equal(bits(18, 100), -2)
  t.equal(bits(10, 100), 6)
  t.equal(bits(40, 100, [...OWN]), undefined, 'without a frame')
  t.equal(bits(40, 100, framed.slice(0, 2)), undefined, 'a frame of a video is registered without pieces')
  const rotated = agreementOf(away(40, far), { pdq: [], area: framed }, 2)
  t.equal(rotated?.withinFrameBits, undefined, 'pieces are asked about in two orientations')
})

t.test('where the wholes are near, a part of at most half of the query has to agree, or the wholes nearly', async (t) => {
  const far = Array.from(PIECES, () => 110)
  const table = { left: 0, top: 0.2, right: 1, bottom: 0.8 }
  const inside = { left: 0, top: 0.25, right: 1, bottom: 0.75 }
  const bits = (wholeBits: number, part: Region, partBits: number, rows = OWN) =>
    agreement(away(wholeBits, far, [{ ...area('deframed', bitsFrom(WHOLE, partBits)), part }]), rows)?.insideBits
  t.equal(bits(40, inside, 58), 0)
  t.equal(bits(40, inside, 60), -2)
  t.ok((bits(40, table, 0) ?? 0) < 0, 'a larger part shows the table')
  t.equal(bits(16, inside, 100), 0)
  t.equal(bits(10, inside, 100), 6)
  t.equal(agreement(away(40, [58, ...far.slice(1)]))?.insideBits, 0, 'a piece')
  t.equal(agreement(away(40, far.slice(0, 4)))?.insideBits, undefined, 'four parts are too few')
  t.equal(bits(40, inside, 100, [...OWN, { view: 'whole', hash: hashNamed('next') }]), undefined, 'an animation')
  t.equal(agreement([...away(40, far), area('whole', hashNamed('next'))])?.insideBits, undefined, 'an animation')
  const rotated = agreementOf(away(40, far), { pdq: [], area: OWN }, 2)
  t.equal(rotated?.insideBits, undefined, 'pieces are asked about in two orientations')
})

t.test('of screens of one app with a frame, the part that agrees is reported', async (t) => {
  for (const seed of [1, 3, 6]) {
    const registered = hasher.hash(screenOf(scenePixels(seed, SIZE), seed + 40), 'register').signals
    const rowsOf = (type: string) =>
      registered.flatMap(({ type: own, view, hashes: [hash] }) =>
        own === type && hash !== undefined ? [{ view, hash }] : [],
      )
    const rows = { pdq: rowsOf('pdq'), area: rowsOf('pdq-area') }
    const found = agreementOf(hasher.hash(screenOf(scenePixels(seed, SIZE), seed + 80), 'query').signals, rows, AS_IS)
    t.ok((found?.surplusBits ?? 0) < 0, `another picture below ${seed}`)
    const region = found?.partial?.region
    t.ok(region !== undefined && region.bottom <= 0.55, `only the upper picture of ${seed} agrees`)
  }
})

/** Two pictures, one above the other, on a page with margins. */
function screenOf(upper: Pixels, lowerSeed: number): Pixels & { channels: 3 } {
  const [width, height] = [SIZE.width + 80, 2 * SIZE.height + 120]
  const data = Buffer.alloc(3 * width * height, 250)
  for (const [top, { data: from }] of [
    [40, upper],
    [SIZE.height + 80, scenePixels(lowerSeed, SIZE)],
  ] as const)
    for (let y = 0; y < SIZE.height; y++)
      Buffer.from(from).copy(data, 3 * ((top + y) * width + 40), 3 * y * SIZE.width, 3 * (y + 1) * SIZE.width)
  return { data, width, height, channels: 3 }
}

t.test('a copy of a drawn picture agrees, and another picture with its upper half agrees there', async (t) => {
  // Seed 5 has something like a frame in it.
  for (const seed of [1, 2, 3, 4, 6, 7]) {
    const original = scenePixels(seed, SIZE)
    const { signals } = hasher.hash({ ...original, channels: 3 }, 'register')
    const rowsOf = (type: string) =>
      signals.flatMap(({ type: own, view, hashes: [hash] }) => (own === type && hash !== undefined ? [{ view, hash }] : []))
    const registered = { pdq: rowsOf('pdq'), area: rowsOf('pdq-area') }
    const of = (pixels: Pixels) => agreementOf(hasher.hash({ ...pixels, channels: 3 }, 'query').signals, registered, AS_IS)
    t.ok((of(darker(original))?.surplusBits ?? -1) > 0, `a darker copy of ${seed}`)
    t.same(of(darker(original))?.partial, undefined)
    const template = of(withLowerHalf(original, scenePixels(seed + 100, SIZE)))
    t.ok((template?.surplusBits ?? 0) < 0, `another picture below ${seed}`)
    const region = template?.partial?.region
    t.ok(region === undefined || region.bottom === 0.5, 'only the upper half agrees')
  }
})

function darker({ data, width, height }: Pixels): Pixels {
  return { data: Buffer.from(data.map((value) => Math.round(value * 0.8))), width, height }
}

function withLowerHalf(upper: Pixels, lower: Pixels): Pixels {
  const half = upper.data.length / 2
  return { ...upper, data: Buffer.concat([upper.data.subarray(0, half), lower.data.subarray(half)]) }
}
