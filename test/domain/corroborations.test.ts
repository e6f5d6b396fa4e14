import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { Corroborations, NOT_STRONG_BITS, type ViewObservation } from '../../packages/core/src/matching/corroborations.js'
import {
  corroboratingBits,
  isPieceOnPiece,
  isSymmetric,
  MIN_INDEPENDENT_BITS,
  type TwoViews,
} from '../../packages/core/src/matching/evidence.js'
import { VIEW_NAMES, type View } from '../../packages/core/src/matching/signal.js'
import { distance, type Hash256, hashFromBytes } from '../../packages/hash/src/hash256.js'
import { bitsFrom, hashNamed, symmetricOf } from '../helpers/hashes.js'

const IMAGE = 7
const whole: TwoViews = { asked: 'whole', registered: 'whole' }

t.test('two views that look unlike corroborate each other, and two that look alike do not', async (t) => {
  const [one, unlike, alike] = [0, MIN_INDEPENDENT_BITS, MIN_INDEPENDENT_BITS - 1].map(hashOf)
  t.equal(together(observation(0, one, 40), observation(1, unlike, 50)), 90)
  t.equal(together(observation(0, one, 40), observation(1, alike, 50)), Number.POSITIVE_INFINITY)
})

t.test('one view near two registered ones does not corroborate itself', async (t) => {
  const twice = [observation(0, hashOf(0), 40), observation(0, hashOf(0), 44, { asked: 'whole', registered: 'deframed' })]
  t.equal(together(...twice), Number.POSITIVE_INFINITY)
})

t.test('corroborating views have the same orientation', async (t) => {
  const [one, other] = [observation(0, hashOf(0), 40), observation(1, hashOf(100), 50)]
  t.equal(together(one, { ...other, orientation: 5 }), Number.POSITIVE_INFINITY)
  t.equal(together({ ...one, orientation: 5 }, { ...other, orientation: 5 }), 90)
})

t.test('a piece counts as farther than it is; crops and distant views do not count', async (t) => {
  const one = observation(0, hashOf(0), 40)
  t.equal(together(one, observation(1, hashOf(100), 50, { asked: 'piece', registered: 'whole' })), 92)
  t.equal(together(one, observation(1, hashOf(100), 50, { asked: 'crop', registered: 'whole' })), Number.POSITIVE_INFINITY)
  t.equal(together(one, observation(1, hashOf(100), 61)), Number.POSITIVE_INFINITY)
})

t.test('a view symmetric about a diagonal can make a match with another view, but not a strong one', async (t) => {
  const symmetric = symmetricOf(hashNamed('symmetric'))
  const [one, other] = [observation(0, bitsFrom(symmetric, 20), 20), observation(1, hashOf(0), 50)]
  t.equal(together(one, other), NOT_STRONG_BITS)
  t.equal(together({ ...one, distanceBits: 50 }, other), 100, 'at a distance where no pair is strong')
  t.equal(together(observation(0, hashOf(100), 20), other), 70, 'unlike an asymmetric view')
  t.equal(together(one, other, observation(2, hashOf(100), 30)), 80, 'it does not hide two other views')
})

t.test(
  'two pieces seen in pieces have to be nearer and are never strong, and one with another kind of view may be',
  async (t) => {
    const inPiece: TwoViews = { asked: 'piece', registered: 'piece' }
    const [one, other] = [
      observation(0, hashOf(0), 40, inPiece),
      observation(1, hashOf(100), 40, { ...inPiece, registered: 'tilted' }),
    ]
    t.equal(together(one, other), 104, '20 bits farther than 84')
    t.equal(together({ ...one, distanceBits: 44 }, { ...other, distanceBits: 46 }), 114, 'no match any more')
    t.equal(together({ ...one, distanceBits: 0 }, { ...other, distanceBits: 0 }), NOT_STRONG_BITS)
    t.equal(together(one, other, observation(2, hashOf(180), 50)), 92)
    t.equal(
      together(one, other, observation(1, hashOf(100), 48, { asked: 'piece', registered: 'whole' })),
      92,
      'its nearer one hides none',
    )
  },
)

t.test('two deframed parts make a match, but not a strong one', async (t) => {
  const deframed: TwoViews = { asked: 'whole', registered: 'deframed' }
  const [one, other] = [observation(0, hashOf(0), 20, deframed), observation(1, hashOf(100), 30, deframed)]
  const corroborations = new Corroborations()
  for (const each of [one, other]) corroborations.note(IMAGE, each)
  t.equal(corroborations.together(IMAGE)?.nearBits, 50, 'as a match they are as near as they are')
  t.equal(together(one, other), NOT_STRONG_BITS)
  t.equal(together(one, { ...other, distanceBits: 60 }), NOT_STRONG_BITS)
  t.equal(together({ ...one, distanceBits: 50 }, { ...other, distanceBits: 50 }), 100)
  t.equal(together(one, { ...other, views: whole }), 50, 'unlike one of them with the whole')
  t.equal(together(one, other, observation(0, hashOf(0), 40)), 70, 'the nearer one does not hide another of its own')
})

t.test('one of two corroborating views must be within its threshold, and is the one reported', async (t) => {
  const [one, other] = [observation(0, hashOf(0), 53), observation(1, hashOf(100), 54)]
  const beyond = { isWithin: false }
  t.equal(together({ ...one, ...beyond }, { ...other, ...beyond }), Number.POSITIVE_INFINITY)
  const corroborations = new Corroborations()
  for (const each of [{ ...one, ...beyond }, other]) corroborations.note(IMAGE, each)
  t.same(
    corroborations.together(IMAGE),
    { bits: 107, nearBits: 107, nearer: other, isTied: false },
    'the one that is within',
  )
  const [near, far] = [observation(0, hashOf(0), 30), observation(1, hashOf(100), 50)]
  for (const order of [
    [near, far],
    [far, near],
  ]) {
    const both = new Corroborations()
    for (const each of order) both.note(IMAGE, each)
    t.same(both.together(IMAGE), { bits: 80, nearBits: 80, nearer: near, isTied: false }, 'the nearer one')
  }
})

t.test('an observation is tied if two bits would change its view, orientation or band', async (t) => {
  const isTied = (...matchEvents: readonly ViewObservation[]) => {
    const corroborations = new Corroborations()
    for (const each of matchEvents) corroborations.note(IMAGE, each)
    return corroborations.together(IMAGE)?.isTied
  }
  const tilted: TwoViews = { asked: 'whole', registered: 'crop' }
  const one = observation(0, hashOf(0), 40)
  t.equal(isTied(one, observation(1, hashOf(100), 42, tilted)), true, 'two views that are nearly as near')
  t.equal(isTied(one, observation(1, hashOf(100), 43, tilted)), false)
  t.equal(isTied(one, observation(1, hashOf(100), 42)), false, 'of the same view and band')
  const pairs = (bits: number) => [one, observation(1, hashOf(100), 50), observation(2, hashOf(200), bits, tilted)]
  t.equal(isTied(...pairs(39)), true, 'two pairs')
  t.equal(isTied(...pairs(60)), false)
  t.equal(isTied(...pairs(52)), false, 'reported by the same view')
})

t.test('an observation of one image does not corroborate another image', async (t) => {
  const corroborations = new Corroborations()
  corroborations.note(1, observation(0, hashOf(0), 40))
  corroborations.note(2, observation(1, hashOf(100), 40))
  t.equal(corroborations.togetherBits(1), Number.POSITIVE_INFINITY)
  t.equal(corroborations.togetherBits(3), Number.POSITIVE_INFINITY)
})

t.test('the smallest sum equals that of comparing all pairs, in any order', async () => {
  const matchEvents = fc.array(
    fc.record({
      type: fc.constant('pdq-area' as const),
      views: fc.record({ asked: fc.constantFrom(...VIEW_NAMES), registered: fc.constantFrom(...VIEW_NAMES) }),
      signal: fc.integer({ min: 0, max: 5 }),
      orientation: fc.constantFrom(0, 5),
      distanceBits: fc.integer({ min: 0, max: 64 }),
      isWithin: fc.boolean(),
    }),
    { maxLength: 14 },
  )
  // A query has one hash per orientation, so a hash follows from its signal and orientation.
  const spread = fc.array(fc.integer({ min: 0, max: 120 }), { minLength: 12, maxLength: 12 })
  fc.assert(
    fc.property(matchEvents, spread, (made, bits) => {
      const all = made.map((one) => ({ ...one, hash: anyHash(bits[one.signal + (one.orientation === 0 ? 0 : 6)] ?? 0) }))
      assert.equal(together(...all), minOfAll(all))
    }),
    {
      examples: [
        // Of one signal the nearer view makes too sure a pair, and the farther one a pair that is just not strong.
        [
          [matchEventOf(1, 'whole', 0), matchEventOf(1, 'crop', 48), { ...matchEventOf(2, 'whole', 41), isWithin: true }],
          [0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        ],
      ],
    },
  )
})

function matchEventOf(signal: number, registered: View, distanceBits: number) {
  const views = { asked: 'whole' as View, registered }
  return { type: 'pdq-area' as const, views, signal, orientation: 0, distanceBits, isWithin: false }
}

function minOfAll(all: readonly ViewObservation[]): number {
  const sums = all.flatMap((one) =>
    all.flatMap((other) => {
      const [a, b] = [one, other].map(({ type, views, distanceBits }) => corroboratingBits(type, views, distanceBits))
      const areTwo =
        one.signal !== other.signal &&
        one.orientation === other.orientation &&
        distance(one.hash, other.hash) >= MIN_INDEPENDENT_BITS
      if (!areTwo || a === undefined || b === undefined || !(one.isWithin || other.isWithin)) return []
      if (isPieceOnPiece(one.views) && isPieceOnPiece(other.views)) return [Math.max(a + b + 20, NOT_STRONG_BITS)]
      const areUnlikeThemselves = !isSymmetric(one.hash) && !isSymmetric(other.hash)
      const areDeframed = [one, other].every(({ views }) => views.registered === 'deframed' && !isPieceOnPiece(views))
      return areUnlikeThemselves && !areDeframed ? [a + b] : [Math.max(a + b, NOT_STRONG_BITS)]
    }),
  )
  return Math.min(...sums, Number.POSITIVE_INFINITY)
}

/** A third of them are symmetric. */
function anyHash(bits: number): Hash256 {
  return bits % 3 === 0 ? bitsFrom(symmetricOf(hashNamed('symmetric')), bits / 3) : hashOf(bits)
}

function together(...matchEvents: readonly ViewObservation[]): number {
  const corroborations = new Corroborations()
  for (const one of matchEvents) corroborations.note(IMAGE, one)
  return corroborations.togetherBits(IMAGE)
}

function observation(signal: number, hash: Hash256 | undefined, distanceBits: number, views = whole): ViewObservation {
  return { type: 'pdq-area', views, signal, orientation: 0, hash: hash ?? hashOf(0), distanceBits, isWithin: true }
}

/** A hash `bits` away from that of 0. */
function hashOf(bits: number): Hash256 {
  const bytes = Uint8Array.from(hashNamed('any'))
  for (let k = 0; k < bits; k++) bytes[k >> 3] = (bytes[k >> 3] ?? 0) ^ (1 << (k & 7))
  return hashFromBytes(bytes)
}
