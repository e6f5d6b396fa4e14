import t from 'tap'
import {
  aloneBits,
  type ComparedViews,
  contentOf,
  corroboratingBits,
  dependsOnContent,
  isPieceOnPiece,
  matchBits,
  maxCorroboratingBits,
  PAIR_SUM_BITS,
  reviewBits,
  WHOLE_VIEWS,
  widestAskedBits,
  widestMatchBits,
} from '../../packages/core/src/matching/evidence.js'
import { VIEW_NAMES } from '../../packages/core/src/matching/signal.js'
import { SIGNAL_TYPE_NAMES, SIGNAL_TYPES } from '../../packages/core/src/matching/signal-types.js'
import { type Hash256, hashFromBytes } from '../../packages/hash/src/hash256.js'
import { hashNamed, symmetricOf } from '../helpers/hashes.js'

const everyPair = [false, true].flatMap((rotated) =>
  VIEW_NAMES.flatMap((asked) => VIEW_NAMES.map((registered) => ({ asked, registered, rotated, content: 'full' as const }))),
)

t.test('the threshold to decide alone is within that of a match, which is within that of review', async (t) => {
  for (const type of SIGNAL_TYPE_NAMES) {
    for (const views of everyPair) {
      const match = matchBits(type, views)
      t.ok(aloneBits(type, views) <= match && match <= reviewBits(type, views), `${type} ${views.asked} ${views.registered}`)
    }
  }
})

t.test('the widest radius of a type or view covers every match and corroborating view', async (t) => {
  for (const type of SIGNAL_TYPE_NAMES) {
    const { thresholdBits, maxThresholdBits } = SIGNAL_TYPES[type]
    t.equal(Math.max(...everyPair.map((views) => matchBits(type, views))), thresholdBits, type)
    t.equal(Math.max(...everyPair.map((views) => reviewBits(type, views))), maxThresholdBits, type)
    for (const views of everyPair) {
      t.ok(matchBits(type, views) <= widestMatchBits(type, views.asked, views.rotated))
      t.ok(matchBits(type, views) <= widestAskedBits(type, views.registered, views.rotated))
    }
  }
  for (const views of everyPair) {
    const widest = maxCorroboratingBits('pdq-area', views.asked) ?? -1
    t.equal(corroboratingBits('pdq-area', views, widest + 1), undefined, `${views.asked} ${views.registered}`)
  }
})

t.test('a crop in a query, which our hashing never makes, must be as near as PDQ and corroborates nothing', async (t) => {
  for (const views of everyPair.filter(({ asked }) => asked === 'crop')) {
    t.ok(matchBits('pdq-area', views) <= SIGNAL_TYPES.pdq.thresholdBits)
    t.equal(aloneBits('pdq-area', views), matchBits('pdq-area', views))
    t.equal(corroboratingBits('pdq-area', views, 0), undefined)
  }
  t.equal(maxCorroboratingBits('pdq-area', 'crop'), undefined)
})

t.test('a part that nobody vouches for, given as a hash, has the strictest reach of all registered parts', async (t) => {
  const reaches: readonly ((views: ComparedViews) => number)[] = [
    (views) => matchBits('pdq-area', views),
    (views) => aloneBits('pdq-area', views),
    (views) => reviewBits('pdq-area', views),
    (views) => -(corroboratingBits('pdq-area', views, 30) ?? 0),
  ]
  for (const views of everyPair.filter(({ registered }) => registered !== 'whole')) {
    const given: ComparedViews = { ...views, isByHashes: true }
    const name = `${views.asked} ${views.registered}`
    for (const reachOf of reaches)
      t.equal(reachOf(given), Math.min(...VIEW_NAMES.map((registered) => reachOf({ ...views, registered }))), name)
    t.equal(isPieceOnPiece(given), isPieceOnPiece({ ...views, registered: 'piece' }), name)
  }
})

t.test('a pair that makes a match strong is nearer than one that makes a match', async (t) => {
  t.ok(PAIR_SUM_BITS.strong < PAIR_SUM_BITS.match)
  t.ok(PAIR_SUM_BITS.strong < 2 * matchBits('pdq-area', WHOLE_VIEWS))
})

t.test('a part of a picture has to be nearer than the whole', async (t) => {
  const whole = matchBits('pdq-area', WHOLE_VIEWS)

  for (const views of everyPair) t.ok(matchBits('pdq-area', views) <= whole)
  t.ok(matchBits('pdq-area', { ...WHOLE_VIEWS, asked: 'piece' }) < whole)
  t.ok(matchBits('pdq-area', { ...WHOLE_VIEWS, registered: 'tilted' }) < whole)
})

t.test('a rotated picture has to be as near as to decide alone, and nearer than an unrotated one', async (t) => {
  for (const views of everyPair)
    t.equal(matchBits('pdq-area', { ...views, rotated: true }), aloneBits('pdq-area', { ...views, rotated: true }))
  t.ok(matchBits('pdq-area', { ...WHOLE_VIEWS, rotated: true }) < aloneBits('pdq-area', WHOLE_VIEWS))
})

t.test('a plain or symmetric view has to be nearer to decide alone, and no nearer with corroboration', async (t) => {
  for (const content of ['plain', 'symmetric'] as const) {
    for (const views of everyPair) {
      const less = { ...views, content }
      t.equal(matchBits('pdq-area', less), matchBits('pdq-area', views))
      t.ok(aloneBits('pdq-area', less) <= aloneBits('pdq-area', views))
      for (const type of SIGNAL_TYPE_NAMES.filter((type) => !dependsOnContent(type)))
        t.equal(aloneBits(type, less), aloneBits(type, views), type)
    }
    t.ok(aloneBits('pdq-area', { ...WHOLE_VIEWS, content }) < aloneBits('pdq-area', WHOLE_VIEWS))
  }
  const symmetric = (asked: 'whole' | 'crop') => aloneBits('pdq-area', { ...WHOLE_VIEWS, asked, content: 'symmetric' })
  t.equal(symmetric('crop'), symmetric('whole'), 'a crop is no surer')
})

t.test('a view is plain by its quality, and symmetric by its hash at any quality', async (t) => {
  const any = hashNamed('any')
  const content = (quality: number, hash: Hash256) => contentOf({ quality, hashes: [hash, any] })

  t.same(
    [69, 70].map((quality) => content(quality, any)),
    ['plain', 'full'],
  )
  t.same(
    [69, 100].map((quality) => content(quality, symmetricOf(any))),
    ['symmetric', 'symmetric'],
  )
  t.equal(content(100, withPairsApart(39)), 'symmetric', '78 bits')
  t.equal(content(100, withPairsApart(40)), 'full', '80 bits')
})

/** `pairs` pairs of bits differ that a flip along the diagonal exchanges, starting with the first rows. */
function withPairsApart(pairs: number): Hash256 {
  const bytes = Uint8Array.from(symmetricOf(hashNamed('pairs')))
  const above = Array.from({ length: 256 }, (_, k) => k).filter((k) => k % 16 > k >> 4)
  for (const k of above.slice(0, pairs)) bytes[k >> 3] = (bytes[k >> 3] ?? 0) ^ (1 << (k & 7))
  return hashFromBytes(bytes)
}

t.test('PDQ and the file decide alone, blockhash never does, and none of them corroborates by views', async (t) => {
  for (const type of ['pdq', 'blockhash', 'sha256'] as const) t.equal(corroboratingBits(type, WHOLE_VIEWS, 0), undefined)
  for (const type of ['pdq', 'sha256'] as const) t.equal(aloneBits(type, WHOLE_VIEWS), matchBits(type, WHOLE_VIEWS))
  t.ok(aloneBits('blockhash', WHOLE_VIEWS) < 0)
})
