import fc from 'fast-check'
import t from 'tap'
import { createAskedFrames } from '../../../packages/hash/src/video/asked-frames.js'
import { countSignals, type VideoFrame } from '../../../packages/hash/src/video/frame-selection.js'
import { apart, chosenBy, flipped, type MadeFrame, randomHash, sequences, signalsOf } from './seen.js'

/** The plain version: tries each way of leaving out, the fullest first. */
function chosenPlainly(frames: readonly MadeFrame[], maxSignals: number): VideoFrame[] {
  const differing: MadeFrame[] = []
  for (const frame of frames) {
    const before = differing.at(-1)
    if (before === undefined || apart(before.hash, frame.hash) >= 10) differing.push(frame)
  }
  const usable = differing.filter(({ isSign }) => !isSign)
  for (let level = 0; ; level++) {
    const intervalMs = level < 2 ? 250 : 250 * 2 ** (level - 1)
    const slots = new Set<number>()
    const chosen = usable.filter(({ atMs }) => {
      const slot = Math.floor(atMs / intervalMs)
      return !slots.has(slot) && slots.add(slot)
    })
    const all = chosen.map((frame) => ({ atMs: frame.atMs, signals: signalsOf(frame, level === 0 ? 'pieces' : 'frame') }))
    if (countSignals(all) <= maxSignals || all.length < 2) return all
  }
}

t.test('chooses what the plain version does, also where signals are bounded', async (t) => {
  fc.assert(
    fc.property(sequences, fc.oneof(fc.integer({ min: 14, max: 200 }), fc.constant(8000)), (frames, maxSignals) => {
      const chosen = chosenBy(createAskedFrames(maxSignals), frames).frames
      t.same(chosen, chosenPlainly(frames, maxSignals))
      return countSignals(chosen) <= maxSignals
    }),
    { numRuns: 200 },
  )
})

t.test('a frame is asked for if it differs from the one that was asked for before', async (t) => {
  const hash = randomHash(1)
  const frames = [hash, flipped(hash, 9, 2), flipped(hash, 10, 3), hash].map(
    (hash, i): MadeFrame => ({ atMs: 250 * i, hash, isSign: false, views: { deframed: 1, piece: 8, crop: 3 } }),
  )
  const chosen = chosenBy(createAskedFrames(), frames)
  t.same(
    chosen.frames.map(({ atMs }) => atMs),
    [0, 500, 750],
  )
  t.same(
    chosen.frames.map(({ signals }) => signals.length),
    [11, 11, 11],
    'the whole, its frame and pieces',
  )
  t.same(chosen.found, [true, true, true, true])
})
