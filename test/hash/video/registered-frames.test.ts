import fc from 'fast-check'
import t from 'tap'
import { HASH_BYTES, hashFromBytes } from '../../../packages/hash/src/hash256.js'
import { countSignals, type VideoFrame } from '../../../packages/hash/src/video/frame-selection.js'
import { createRegisteredFrames } from '../../../packages/hash/src/video/registered-frames.js'
import { apart, chosenBy, flipped, type MadeFrame, randomHash, sequences, signalsOf } from './seen.js'

/** The plain version: compares each frame with all others. */
function chosenPlainly(frames: readonly MadeFrame[], maxSignals: number): { frames: VideoFrame[]; found: boolean[] } {
  const fulls: MadeFrame[] = []
  let kept: { frame: MadeFrame; bits: number }[] = []
  let seconds = 2
  const slot = ({ atMs }: MadeFrame, length: number) => Math.floor(atMs / 1000 / length)
  const isFull = (frame: MadeFrame) => {
    const slotOf = (one: MadeFrame) => slot(one, seconds)
    return fulls.find((other) => slotOf(other) === slotOf(frame)) === frame
  }
  const extentOf = ({ frame, bits }: (typeof kept)[number]) => {
    if (isFull(frame)) return 'full'
    return bits < 50 && !fulls.includes(frame) ? 'sparse' : 'thin'
  }
  const chosen = () => kept.map((one) => ({ atMs: one.frame.atMs, signals: signalsOf(one.frame, extentOf(one)) }))
  const found = frames.map((frame) => {
    const bits = Math.min(256, ...kept.map((one) => apart(one.frame.hash, frame.hash)))
    const full =
      fulls.every((one) => slot(one, 2) !== slot(frame, 2)) && fulls.every((one) => apart(one.hash, frame.hash) >= 24)
    if (!full && bits < 36) return true
    if (frame.isSign) return false
    if (full) fulls.push(frame)
    kept.push({ frame, bits })
    while (countSignals(chosen()) > maxSignals) {
      if (seconds < 8) seconds *= 2
      else {
        const thin = kept.filter((one) => !isFull(one.frame))
        const least = Math.min(...thin.map((one) => one.bits))
        const dropped = (thin.length > 0 ? thin : kept).findLast((one) => thin.length === 0 || one.bits === least)
        kept = kept.filter((one) => one !== dropped)
      }
    }
    return true
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
    { numRuns: 200 },
  )
})

t.test('every frame that is not selected is near a selected one, unless it is a sign', async () => {
  fc.assert(
    fc.property(sequences, (frames) => {
      const chosen = new Set(chosenBy(createRegisteredFrames(), frames).frames.map(({ atMs }) => atMs))
      const kept = frames.filter(({ atMs }) => chosen.has(atMs))
      return frames.every(({ hash, isSign }) => isSign || kept.some((other) => apart(hash, other.hash) < 36))
    }),
    { numRuns: 100 },
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
