import fc from 'fast-check'
import t from 'tap'
import { HASH_BYTES, hashFromBytes } from '../../../packages/hash/src/hash256.js'
import { countSignals, type VideoFrame } from '../../../packages/hash/src/video/frame-selection.js'
import { createRegisteredFrames } from '../../../packages/hash/src/video/registered-frames.js'
import { runs } from '../../helpers/runs.js'
import { apart, chosenBy, flipped, type MadeFrame, randomHash, sequences, signalsOf } from './seen.js'

/** The plain version: compares each frame with all others. */
function chosenPlainly(frames: readonly MadeFrame[], maxSignals: number): { frames: VideoFrame[]; found: boolean[] } {
  const fulls: MadeFrame[] = []
  let kept: { frame: MadeFrame; bits: number; isBetween: boolean }[] = []
  let seconds = 2
  const slot = ({ atMs }: MadeFrame, length: number) => Math.floor(atMs / 1000 / length)
  const isFull = (frame: MadeFrame) => {
    const slotOf = (one: MadeFrame) => slot(one, seconds)
    return fulls.find((other) => slotOf(other) === slotOf(frame)) === frame
  }
  const extentOf = ({ frame, bits, isBetween }: (typeof kept)[number]) => {
    if (isFull(frame)) return 'full'
    return isBetween || (bits < 50 && !fulls.includes(frame)) ? 'sparse' : 'thin'
  }
  const chosen = () => kept.map((one) => ({ atMs: one.frame.atMs, signals: signalsOf(one.frame, extentOf(one)) }))
  const nearest = (frame: MadeFrame) => Math.min(256, ...kept.map((one) => apart(one.frame.hash, frame.hash)))
  const keep = (frame: MadeFrame, isBetween: boolean) => {
    kept = [...kept, { frame, bits: nearest(frame), isBetween }].sort((a, b) => a.frame.atMs - b.frame.atMs)
    while (countSignals(chosen()) > maxSignals) {
      if (seconds < 8) seconds *= 2
      else {
        const thin = kept.filter((one) => !isFull(one.frame))
        const least = Math.min(...thin.map((one) => one.bits))
        const dropped = (thin.length > 0 ? thin : kept).findLast((one) => thin.length === 0 || one.bits === least)
        kept = kept.filter((one) => one !== dropped)
      }
    }
  }
  const isAdded = (frame: MadeFrame) => {
    const full =
      fulls.every((one) => slot(one, 2) !== slot(frame, 2)) && fulls.every((one) => apart(one.hash, frame.hash) >= 24)
    if (!full && nearest(frame) < 36) return true
    if (frame.isSign) return false
    if (full) fulls.push(frame)
    keep(frame, false)
    return true
  }
  const found = frames.map((frame, i) => {
    const isFound = isAdded(frame)
    const [before, between] = [frames[i - 1], frame.between]
    if (before === undefined || between === undefined || between.isSign) return isFound
    const others = [before, frame].map(({ hash }) => apart(hash, between.hash))
    if (Math.min(nearest(between), ...others) >= 72) keep(between, true)
    return isFound
  })
  return { frames: chosen(), found }
}

t.test('the selection of registered frames equals the plain version, also when signals are bounded', async (t) => {
  fc.assert(
    fc.property(sequences, fc.oneof(fc.integer({ min: 30, max: 200 }), fc.constant(10_000)), (frames, maxSignals) => {
      const selection = createRegisteredFrames(maxSignals)
      const chosen = chosenBy(selection, frames)
      t.same(chosen, chosenPlainly(frames, maxSignals))
      const all = chosenPlainly(frames, Number.POSITIVE_INFINITY)
      t.equal(selection.isThinned(), countSignals(all.frames) > maxSignals, 'it is told')
      return countSignals(chosen.frames) <= maxSignals
    }),
    { numRuns: runs(66) },
  )
})

t.test('every frame that is not selected is near a selected one, unless it is a sign', async () => {
  fc.assert(
    fc.property(sequences, (frames) => {
      const chosen = new Set(chosenBy(createRegisteredFrames(), frames).frames.map(({ atMs }) => atMs))
      const all = frames.flatMap((frame) => (frame.between === undefined ? frame : [frame, frame.between]))
      const kept = all.filter(({ atMs }) => chosen.has(atMs))
      return frames.every(({ hash, isSign }) => isSign || kept.some((other) => apart(hash, other.hash) < 36))
    }),
    { numRuns: runs(33) },
  )
})

const at = (atMs: number, hash: MadeFrame['hash'], isSign = false): MadeFrame => ({
  atMs,
  hash,
  isSign,
  views: { deframed: 2, crop: 5 },
})
/** The number of signals of such a frame. */
const [FULL, THIN, SPARSE] = [9, 4, 2]
const KINDS = new Map([
  [FULL, 'full'],
  [THIN, 'thin'],
  [SPARSE, 'sparse'],
])
const chosenFrom = (frames: readonly MadeFrame[], maxSignals?: number) => {
  const chosen = chosenBy(createRegisteredFrames(maxSignals), frames)
  return chosen.frames.map(({ atMs, signals }) => [atMs, KINDS.get(signals.length)])
}

t.test('full frames are two seconds and 24 bits apart, thin ones 50 bits, sparse ones 36', async (t) => {
  const hash = randomHash(1)
  t.same(chosenFrom([at(0, hash), at(2000, flipped(hash, 23, 2)), at(2250, flipped(hash, 24, 3))]), [
    [0, 'full'],
    [2250, 'full'],
  ])
  const between = [35, 36, 49, 50].map((bits, i) => at(1000 + 250 * i, flipped(hash, bits, i + 2)))
  t.same(chosenFrom([at(0, hash), ...between]), [
    [0, 'full'],
    [1250, 'sparse'],
    [1500, 'sparse'],
    [1750, 'thin'],
  ])
  t.same(chosenFrom([at(0, hash, true), at(250, hash)]), [[250, 'full']], 'a sign represents nothing')
})

t.test('a frame between two has the whole if it is 72 bits from these and from all that are kept', async (t) => {
  const first = randomHash(1)
  const far = flipped(first, 100, 2)
  const chosenWith = (hash: MadeFrame['hash'], isSign = false) =>
    chosenFrom([at(0, first), { ...at(250, far), between: at(125, hash, isSign) }])
  const without = [
    [0, 'full'],
    [250, 'thin'],
  ]
  t.same(chosenWith(randomHash(3)), [without[0], [125, 'sparse'], without[1]])
  for (const [hash, is] of [
    [first, 'before'],
    [far, 'after'],
  ] as const) {
    const near = [71, 72].map((bits) => chosenWith(flipped(hash, bits, 4)).length)
    t.same(near, [2, 3], is)
  }
  t.same(chosenWith(randomHash(3), true), without, 'a sign is not registered')
  const unkept = flipped(first, 35, 5)
  const counts = [71, 72].map((bits) => {
    const last = { ...at(500, far), between: at(375, flipped(unkept, bits, 6)) }
    return chosenFrom([at(0, first), at(250, unkept), last]).length
  })
  t.same(counts, [2, 3], 'also from one before that was not kept')
})

t.test('beyond the limit full frames are reduced first, then thin ones dropped', async (t) => {
  const scenes = Array.from({ length: 8 }, (_, i) => at(2000 * i, randomHash(i + 1)))
  const kinds = (maxSignals: number) =>
    chosenFrom(scenes, maxSignals).map(([atMs, kind]) => `${Number(atMs) / 1000} ${kind}`)
  t.same(kinds(8 * FULL), ['0 full', '2 full', '4 full', '6 full', '8 full', '10 full', '12 full', '14 full'])
  t.same(kinds(8 * FULL - 1), ['0 full', '2 thin', '4 full', '6 thin', '8 full', '10 thin', '12 full', '14 thin'])
  t.same(kinds(4 * FULL + 4 * THIN - 1), ['0 full', '2 thin', '4 thin', '6 thin', '8 full', '10 thin', '12 thin', '14 thin'])
  const later = [...scenes.slice(0, 4), { ...at(8000, randomHash(5)), views: {} }, at(10_000, randomHash(6))]
  t.same(
    chosenFrom(later, 4 * FULL - 1).map(([, kind]) => kind),
    ['full', 'thin', 'full', 'thin', 'sparse', 'thin'],
    'a frame that comes after they were reduced is thin at once',
  )
  const near = [...scenes.slice(0, 7), at(13_750, flipped(randomHash(3), 50, 4)), at(14_000, randomHash(8))]
  t.notOk(
    chosenFrom(near, 2 * FULL + 6 * THIN).some(([atMs]) => atMs === 13_750),
    'the least different is dropped',
  )
  const inked = (from: number) => hashFromBytes(new Uint8Array(HASH_BYTES).fill(255, from, from + 8))
  const alike = [at(0, inked(HASH_BYTES)), at(250, inked(0)), at(500, inked(8))]
  t.same(
    chosenFrom(alike, FULL + 2 * THIN - 1),
    [
      [0, 'full'],
      [250, 'thin'],
    ],
    'the latest of several is dropped',
  )
})
