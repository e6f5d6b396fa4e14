import fc from 'fast-check'
import t from 'tap'
import { lookedFrames, lookedMs } from '../../../packages/hash/src/video/animation-frames.js'
import { MAX_VIDEO_MS } from '../../../packages/hash/src/video-frames.js'
import { runs } from '../../helpers/runs.js'

/** As many as half a minute has at four a second. */
const MAX_LOOKED = 120

const durations = fc.array(fc.oneof(fc.constantFrom(11, 20, 40, 100, 125, 250), fc.integer({ min: 11, max: 70_000 })), {
  maxLength: 400,
})

/** The index of the frame that is shown at a time. */
function shownAt(durationsMs: readonly number[], atMs: number): number {
  let endMs = 0
  return durationsMs.findIndex((ms) => {
    endMs += ms
    return atMs < endMs
  })
}

t.test('an animation is looked at every 250 ms, as a video is; every 500 ms and so on if that is too often', (t) => {
  fc.assert(
    fc.property(durations, (durationsMs) => {
      const totalMs = lookedMs(durationsMs)
      const plainly = (intervalMs: number) =>
        Array.from({ length: Math.ceil(totalMs / intervalMs) }, (_, k) => k * intervalMs).map((atMs) => ({
          atMs,
          index: shownAt(durationsMs, atMs),
        }))
      let intervalMs = 250
      const countOf = () => new Set(plainly(intervalMs).map(({ index }) => index)).size
      while (countOf() > MAX_LOOKED) intervalMs *= 2
      const wanted = countOf() < 2 ? [] : plainly(intervalMs)
      const looked = lookedFrames(durationsMs)
      t.same(
        looked.flatMap(({ index, timesMs }) => timesMs.map((atMs) => ({ atMs, index }))),
        wanted,
      )
      for (const [i, { index, timesMs, between }] of looked.entries()) {
        const halfway = i === 0 || intervalMs > 250 ? index : shownAt(durationsMs, (timesMs[0] ?? 0) - 125)
        t.equal(between, halfway === index || halfway === looked[i - 1]?.index ? undefined : halfway)
      }
    }),
    { numRuns: runs(30) },
  )
  t.end()
})

t.test('frames that do not fit in the time are looked at less often, or not at all', (t) => {
  const second = Array<number>(10).fill(100)
  t.same(
    lookedFrames(second, (looked) => looked.length < 4).map(({ index }) => index),
    [0, 5],
  )
  t.same(
    lookedFrames(second, () => false),
    [],
  )
  t.equal(lookedFrames(Array<number>(400).fill(100)).length, 80, '40 s, two a second')
  t.same(lookedFrames([]), [])
  t.same(lookedFrames([5000]), [], 'a single frame is a picture')
  t.end()
})

t.test('of an animation of hours the first ten minutes are looked at', (t) => {
  const hours = Array<number>(20_000).fill(655_350)
  t.same(lookedFrames(hours), [], 'its first frame is shown for longer')
  t.equal(lookedMs(hours), MAX_VIDEO_MS)
  const half = lookedFrames(Array<number>(20_000).fill(400_000))
  t.same(
    half.map(({ index }) => index),
    [0, 1],
  )
  t.equal(half.at(-1)?.timesMs.at(-1), MAX_VIDEO_MS - 250)
  t.end()
})
