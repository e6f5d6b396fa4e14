import fc from 'fast-check'
import t from 'tap'
import type { FramePair } from '../../packages/core/src/matching/frame-pair.js'
import { MAX_SEGMENTS } from '../../packages/core/src/matching/segments.js'
import { type Evidence, evidenceOf, MAX_PAIRS } from '../../packages/core/src/matching/video-evidence.js'
import { distance, type Hash256 } from '../../packages/hash/src/hash256.js'
import { pair, picture, segment } from '../helpers/frame-pairs.js'
import { bitsFrom, hashNamed } from '../helpers/hashes.js'
import { runs } from '../helpers/runs.js'

t.test('two pairs of distinct frames form a line up to 56 bits, and one pair does not', async (t) => {
  const two = (bits: number, other: Partial<FramePair> = {}) => [
    pair(0, 5000, { bits }),
    pair(3000, 8000, { bits, ...other }),
  ]
  t.same(segmentsOf(two(56)), [segment([0, 3000], [5000, 8000], { frames: 2, bits: 56 })])
  t.same(segmentsOf(two(57)), [])
  t.same(segmentsOf(two(54, { isPartial: true })).length, 1)
  t.same(segmentsOf(two(55, { isPartial: true })), [], 'partial views have to be nearer')
  t.same(segmentsOf(two(46, { tighterBits: 11 })), [], 'a bank may require less')
  t.same(segmentsOf(two(40).slice(0, 1)), [])
  t.same(segmentsOf(two(40, { content: 'plain' })), [])
  t.same(segmentsOf(two(40, { content: 'symmetric' })), [])
  t.same(segmentsOf(two(40, { rotated: true })), [])
  t.same(segmentsOf(two(40, { orientation: 5 })), [], 'a video is mirrored as a whole')
})

t.test('two frames that look alike on either side, or share a view, are no second evidence', async (t) => {
  for (const side of ['asked', 'registered', 'askedView'] as const) {
    const [one, other] = [pair(0, 0), pair(3000, 3000)]
    const at = (bits: number) => ({ ...other, [side]: bitsFrom(one[side] ?? hashNamed(side), bits) })
    t.same(segmentsOf([one, at(23)]), [], side)
    t.equal(segmentsOf([one, at(24)]).length, 1, side)
    if (side !== 'askedView') t.same(segmentsOf([one, { ...other, [side]: undefined }]), [], `${side} is unknown`)
  }
})

t.test('a line has a speed of 0.5 to 2, or is reversed, within a second', async (t) => {
  const line = (apartMs: number, movedMs: number) =>
    segmentsOf([pair(20_000, 40_000), pair(20_000 + apartMs, 40_000 + movedMs)])
  t.match(line(10_000, 10_000), [{ speed: 1 }])
  t.match(line(20_000, 25_000), [{ speed: 1.25 }])
  t.match(line(10_000, 22_000), [{ speed: 2 }])
  t.same(line(10_000, 22_001), [])
  t.match(line(10_000, 3000), [{ speed: 0.5 }])
  t.same(line(10_000, 2999), [])
  t.match(line(10_000, -12_000), [{ speed: -1, registered: { fromMs: 28_000, toMs: 40_000 } }])
  t.same(line(10_000, -12_001), [])
  t.same(line(10_000, -7999), [])
  t.equal(line(30_000, 60_000).length, 1)
  t.same(line(30_001, 30_001), [], 'too far apart')
  t.equal(line(500, 500).length, 1)
  t.same(line(499, 500), [], 'too near')
  t.same(line(500, 499), [], 'too near')
  t.same(line(0, 2000), [], 'at the same time')
})

t.test('the surplus tells how near a query is to the edge of the answer', async (t) => {
  const surplusOf = (one: number, other: number) =>
    evidence([pair(0, 0, { bits: one }), pair(3000, 3000, { bits: other })]).surplusBits
  t.equal(surplusOf(40, 50), 6)
  t.equal(surplusOf(56, 50), 0)
  t.equal(surplusOf(58, 50), -2)
  t.equal(surplusOf(59, 50), Number.NEGATIVE_INFINITY)
  const three = [40, 57, 50].map((bits, i) => pair(i * 3000, i * 3000, { bits }))
  t.equal(evidence(three).surplusBits, 6, 'the best line counts')
})

t.test('a frame that matches alone is evidence alone, with its own grade', async (t) => {
  t.same(segmentsOf([pair(1000, 7000, { grade: 'strong', bits: 20 })]), [
    segment([1000, 1000], [7000, 7000], { grade: 'strong', bits: 20 }),
  ])
  t.match(segmentsOf([pair(0, 0), pair(3000, 3000, { grade: 'exact', bits: 0 })]), [{ grade: 'exact', frames: 2 }])
  t.match(segmentsOf([pair(0, 0), pair(3000, 3000)]), [{ grade: 'near' }])
  const [plain, partner] = [pair(0, 0, { grade: 'near', content: 'plain' }), pair(3000, 3000, { bits: 50 })]
  t.match(segmentsOf([plain, partner]), [{ frames: 1, query: { toMs: 0 } }], 'it makes no line with others')
})

t.test('an excerpt is one segment at its speed', async (t) => {
  for (const speed of [1, 0.5, 1.25, 1.5, 2, -1]) {
    const pairs = Array.from({ length: 20 }, (_, i) => pair(i * 1000, 30_000 + i * 1000 * speed))
    const to = 30_000 + 19_000 * speed
    t.same(segmentsOf(pairs), [segment([0, 19_000], [Math.min(30_000, to), Math.max(30_000, to)], { speed, frames: 20 })])
  }
})

t.test('two films in one file are two segments', async (t) => {
  const film = (askedMs: number, registeredMs: number, seconds: number) =>
    Array.from({ length: seconds + 1 }, (_, i) => pair(askedMs + i * 1000, registeredMs + i * 1000))
  t.same(segmentsOf([...film(0, 60_000, 10), ...film(11_000, 5000, 20)]), [
    segment([11_000, 31_000], [5000, 25_000], { frames: 21 }),
    segment([0, 10_000], [60_000, 70_000], { frames: 11 }),
  ])
})

t.test('a slideshow in another order is found by neighbouring pictures, each shown for a while', async (t) => {
  const order = [2, 0, 3, 1]
  const pairs = order.flatMap((slide, place) =>
    [0, 1000, 2000].map((ms) => pair(place * 3000 + ms, slide * 3000, { asked: picture(slide), askedView: picture(slide) })),
  )
  const segments = segmentsOf(pairs)
  t.ok(segments.length > 0)
  t.equal(Math.max(...segments.map(({ query }) => query.toMs)), 11_000)
})

t.test('a still picture forms no line, and a matching one is a single run', async (t) => {
  const still = (grade?: 'near') =>
    Array.from({ length: 2400 }, (_, i) => pair(i * 250, 0, { grade, asked: picture(0), askedView: picture(0) }))
  t.same(segmentsOf(still()), [])
  t.same(segmentsOf(still('near')), [segment([0, 599_750], [0, 0], { frames: 2400 })])
  const onBoth = Array.from({ length: 60 }, (_, i) =>
    Array.from({ length: 60 }, (_, j) =>
      pair(i * 1000, j * 1000, { asked: picture(0), askedView: picture(0), registered: picture(0) }),
    ),
  ).flat()
  t.same(segmentsOf(onBoth), [], '3,600 pairs of equal frames form none either')
})

t.test('the true moment is that of the nearest pairs, even if frames resemble their neighbours', async (t) => {
  const scenes = Array.from({ length: 6 }, (_, scene) => scene)
  const pairs = scenes.flatMap((scene) =>
    Array.from({ length: 25 }, (_, k) =>
      pair(scene * 4000 + k * 250, 10_000 + scene * 4000 + 2000, {
        bits: 20 + Math.abs(k - 8) * 2,
        asked: picture(scene),
        askedView: picture(scene),
        registered: picture(scene),
      }),
    ),
  )
  const [longest] = segmentsOf(pairs)
  t.match(longest, { speed: 1, registered: { fromMs: 12_000, toMs: 32_000 } })
})

t.test('neighbouring segments are merged and take the speed of the best line', async (t) => {
  const part = (askedMs: number, registeredMs: number, pairs: number, speed: number) =>
    Array.from({ length: pairs }, (_, i) => pair(askedMs + i * 1000, registeredMs + i * 1000 * speed))
  const turning = [...part(0, 0, 6, 1), ...part(6000, 4000, 5, -1)]
  t.same(segmentsOf(turning), [segment([0, 10_000], [0, 5000], { frames: 11 })])
  t.match(segmentsOf([...part(0, 0, 4, 1), ...part(4000, 7000, 8, -1)]), [{ frames: 12, speed: -1 }])
  const runs = [[0, 1, 2], [6, 7], [4]].flatMap((seconds, i) =>
    seconds.map((s) => pair(s * 1000, i, { grade: 'near', bits: 20 })),
  )
  t.match(segmentsOf(runs), [{ query: { fromMs: 0, toMs: 7000 }, frames: 6 }], 'also by a third between two')
})

t.test('a loop is one segment, and many loops are at most sixteen', async (t) => {
  const loop = Array.from({ length: 240 }, (_, i) => pair(i * 500, (i % 4) * 500))
  t.match(segmentsOf(loop), [{ query: { fromMs: 0, toMs: 119_500 }, registered: { fromMs: 0, toMs: 1500 } }])
  const scattered = Array.from({ length: 64 }, (_, i) =>
    pair(i * 5000 + (i % 2) * 1000, 590_000 - (i >> 1) * 15_000 + (i % 2) * 1000),
  )
  t.equal(segmentsOf(scattered).length, MAX_SEGMENTS)
})

t.test('a true copy among thousands of pairs is found in bounded work', async (t) => {
  const copy = Array.from({ length: 20 }, (_, i) => pair(100_000 + i * 1000, 200_250 + i * 1000))
  const near = Array.from({ length: 6000 }, (_, i) => pair((i % 3) * 2000, Math.floor(i / 3) * 250 + 125, { bits: 20 }))
  const [pauses, { segments }] = run([...near, ...copy])
  t.ok(segments.some(({ query, registered }) => query.fromMs === 100_000 && registered.toMs === 219_250))
  t.ok(pauses < 3 * MAX_PAIRS, `${pauses} pauses`)
})

t.test('a line is found exactly when a naive search of all pairs finds one', async (t) => {
  fc.assert(
    fc.property(manyPairs, (pairs) => {
      const { segments, surplusBits } = evidence(pairs)
      const naive = naiveSurplus(pairs)
      t.equal(surplusBits, naive)
      t.equal(segments.length > 0, naive >= 0 || pairs.some(({ grade }) => grade !== undefined))
    }),
    { numRuns: runs(60) },
  )
})

t.test('each segment holds what it states, whatever the order of the pairs', async (t) => {
  fc.assert(
    fc.property(manyPairs, fc.infiniteStream(fc.nat()), (pairs, keys) => {
      const segments = segmentsOf(pairs)
      for (const { query, registered, bits, frames, orientation } of segments) {
        const inside = pairs.filter(
          (one) =>
            one.orientation === orientation &&
            one.askedMs >= query.fromMs &&
            one.askedMs <= query.toMs &&
            one.registeredMs >= registered.fromMs &&
            one.registeredMs <= registered.toMs,
        )
        t.ok(naiveSurplus(inside) >= 0 || inside.some(({ grade }) => grade !== undefined))
        t.ok(inside.some((one) => one.bits === bits))
        t.ok(frames <= new Set(inside.map(({ askedMs }) => askedMs)).size)
      }
      t.ok(segments.length <= MAX_SEGMENTS)
      const shuffled = pairs
        .map((one) => ({ one, key: keys.next().value ?? 0 }))
        .sort((a, b) => a.key - b.key)
        .map(({ one }) => one)
      t.same(segmentsOf(shuffled), segments)
    }),
    { numRuns: runs(66) },
  )
})

/** Frames about a second apart, some alike, so that all rules apply to some of the pairs. */
const moment = fc.integer({ min: 0, max: 90 }).map((k) => k * 499)
const manyPairs = fc
  .uniqueArray(
    fc.record({
      askedMs: moment,
      registeredMs: moment,
      bits: fc.integer({ min: 48, max: 60 }),
      isPartial: fc.boolean(),
      content: fc.constantFrom('full', 'full', 'full', 'plain' as const),
      orientation: fc.constantFrom(0, 0, 0, 5),
      grade: fc.option(fc.constantFrom('near', 'strong'), { freq: 20, nil: undefined }),
      view: fc.nat(3),
    }),
    { maxLength: 40, selector: ({ askedMs, registeredMs }) => `${askedMs} ${registeredMs}` },
  )
  .map((all) =>
    all.map(
      ({ view, askedMs, registeredMs, ...rest }): FramePair =>
        pair(askedMs, registeredMs, {
          ...rest,
          asked: alike(askedMs),
          registered: alike(registeredMs + 1e6),
          askedView: bitsFrom(alike(askedMs), view * 12),
        } as Partial<FramePair>),
    ),
  )

/** The same picture for some moments, up to a few bits around the limit. */
function alike(ms: number): Hash256 {
  return bitsFrom(picture(Math.floor(ms / 499) % 5), 20 + (ms % 7))
}

/** By how much the nearest two pairs in line are nearer than required. */
function naiveSurplus(pairs: readonly FramePair[]): number {
  let surplus = Number.NEGATIVE_INFINITY
  for (const one of pairs) {
    for (const other of pairs) {
      if (one === other || one.content !== 'full' || other.content !== 'full' || one.orientation !== other.orientation)
        continue
      const [t1, t2, r1, r2] = [one.askedMs, other.askedMs, one.registeredMs, other.registeredMs]
      if (Math.abs(t1 - t2) < 500 || Math.abs(t1 - t2) > 30_000 || Math.abs(r1 - r2) < 500) continue
      const slopes = [(r2 - r1 - 2000) / (t2 - t1), (r2 - r1 + 2000) / (t2 - t1)].sort((a, b) => a - b) as [number, number]
      const isAny = (from: number, to: number) => slopes[0] <= to && slopes[1] >= from
      if (!isAny(0.5, 2) && !isAny(-1, -1)) continue
      const isAlike = (a: Hash256 | undefined, b: Hash256 | undefined) =>
        a === undefined || b === undefined || distance(a, b) < 24
      if (isAlike(one.asked, other.asked) || isAlike(one.registered, other.registered)) continue
      if (isAlike(one.askedView, other.askedView)) continue
      const least = Math.min(...[one, other].map(({ isPartial, bits }) => (isPartial ? 54 : 56) - bits))
      if (least >= -2) surplus = Math.max(surplus, least)
    }
  }
  return surplus
}

function segmentsOf(pairs: readonly FramePair[]) {
  return evidence(pairs).segments
}

function evidence(pairs: readonly FramePair[]): Evidence {
  return run(pairs)[1]
}

/** @returns the number of pauses and the result. */
function run(pairs: readonly FramePair[]): [number, Evidence] {
  const work = evidenceOf(pairs)
  for (let pauses = 0; ; pauses++) {
    const step = work.next()
    if (step.done === true) return [pauses, step.value]
  }
}
