import fc from 'fast-check'
import t from 'tap'
import { createAskedFrames } from '../../../packages/hash/src/video/asked-frames.js'
import { countSignals, type VideoFrame } from '../../../packages/hash/src/video/frame-selection.js'
import { runs } from '../../helpers/runs.js'
import { apart, chosenBy, flipped, type MadeFrame, randomHash, sequences, signalsOf } from './seen.js'

/** The plain version: tries each way to drop signals, the fullest first. */
function chosenPlainly(frames: readonly MadeFrame[], maxSignals: number): VideoFrame[] {
  const differing: MadeFrame[] = []
  for (const frame of frames) {
    const before = differing.at(-1)
    if (before === undefined || apart(before.hash, frame.hash) >= 10) differing.push(frame)
  }
  const usable = differing.filter(({ isSign }) => !isSign)
  for (let level = 0; ; level++) {
    const intervalMs = level < 2 ? 250 : 250 * 2 ** (level - 1)
    const firstOf = ({ atMs }: MadeFrame, ms: number) =>
      usable.find((one) => Math.floor(one.atMs / ms) === Math.floor(atMs / ms))
    const chosen = usable.filter((frame) => frame === firstOf(frame, intervalMs))
    const all = chosen.map((frame) => {
      const hasMore = level === 0 && frame === firstOf(frame, 1000)
      const more = Math.floor(frame.atMs / 1000) % 2 === 0 ? 'pieces' : 'crops'
      return { atMs: frame.atMs, signals: signalsOf(frame, hasMore ? more : 'likely') }
    })
    if (countSignals(all) <= maxSignals || all.length < 2) return all
  }
}

/** A single frame is never dropped, so a limit is at least the most signals of one: two wholes, 3 deframed views, 9 pieces and 4 tilted ones. */
const MAX_OF_FRAME = 18

t.test('the selection of query frames equals the plain version, also when signals are bounded', async (t) => {
  fc.assert(
    fc.property(
      sequences,
      fc.oneof(fc.integer({ min: MAX_OF_FRAME, max: 200 }), fc.constant(8000)),
      (frames, maxSignals) => {
        const selection = createAskedFrames(maxSignals)
        const chosen = chosenBy(selection, frames).frames
        t.same(chosen, chosenPlainly(frames, maxSignals))
        const all = chosenPlainly(frames, Number.POSITIVE_INFINITY)
        t.equal(selection.isThinned(), all.length > 1 && countSignals(all) > maxSignals, 'it is told')
        return countSignals(chosen) <= maxSignals
      },
    ),
    { numRuns: runs(66) },
  )
})

t.test('a query has a frame if it differs from the last one that it has', async (t) => {
  const hash = randomHash(1)
  const frames = [hash, flipped(hash, 9, 2), flipped(hash, 10, 3), hash, hash, flipped(hash, 10, 3)].map(
    (hash, i): MadeFrame => ({
      ...{ atMs: 250 * i, hash, isSign: false },
      views: { deframed: 1, piece: 8, crop: 3, tilted: 5 },
    }),
  )
  const chosen = chosenBy(createAskedFrames(), frames)
  t.same(
    chosen.frames.map(({ atMs }) => atMs),
    [0, 500, 750, 1250],
  )
  t.same(
    chosen.frames.map(({ signals }) => signals.length),
    [15, 3, 3, 8],
    'the whole and its frame; the first in a second has pieces and crops too, or more crops',
  )
  t.ok(chosen.found.every((isFound) => isFound))
})
