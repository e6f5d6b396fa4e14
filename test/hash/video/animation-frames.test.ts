import fc from 'fast-check'
import t from 'tap'
import { lengthOf, lookedFrames, protectedShareOf } from '../../../packages/hash/src/video/animation-frames.js'
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
      const totalMs = Math.min(MAX_VIDEO_MS, Math.round(durationsMs.reduce((sum, ms) => sum + ms, 0)))
      const plainly = (intervalMs: number) =>
        Array.from({ length: Math.ceil(totalMs / intervalMs) }, (_, k) => k * intervalMs).map((atMs) => ({
          atMs,
          index: shownAt(durationsMs, atMs),
        }))
      let intervalMs = 250
      const countOf = () => new Set(plainly(intervalMs).map(({ index }) => index)).size
      while (countOf() > MAX_LOOKED) intervalMs *= 2
      const indexes = new Set(plainly(intervalMs).map(({ index }) => index))
      const wanted = countOf() < 2 ? [] : plainly(250).filter(({ index }) => indexes.has(index))
      const looked = lookedFrames(durationsMs)
      if (looked.length > 0) t.equal(lengthOf(durationsMs, looked).lookedMs, totalMs)
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
  const half = lookedFrames(Array<number>(20_000).fill(400_000))
  t.same(
    half.map(({ index }) => index),
    [0, 1],
  )
  t.equal(lengthOf(hours, half).lookedMs, MAX_VIDEO_MS)
  t.equal(half.at(-1)?.timesMs.at(-1), MAX_VIDEO_MS - 250)
  t.end()
})

t.test('the share that is protected counts what is not looked at as not protected', (t) => {
  const seconds = Array<number>(50).fill(1000)
  const looked = lookedFrames(seconds, (some) => some.length <= 13)
  t.equal(looked.length, 13)
  const length = lengthOf(seconds, looked)
  t.same(length, { lengthMs: 50_000, lookedMs: 50_000, missedMs: 37_000 })
  const film = { durationMs: 50_000, protectedShare: 0.7 }
  t.equal(protectedShareOf(film, length, 0), 0.26, 'the decoder of videos takes it that gaps of two seconds show the same')
  t.equal(protectedShareOf({ ...film, protectedShare: 0.1 }, length, 0), 0.1, 'most of them are plain')
  t.equal(protectedShareOf({ ...film, protectedShare: 0.1 }, length, 8000), 0.16, 'eight pictures')
  t.equal(protectedShareOf(undefined, lengthOf(seconds, []), 2000), 0.04)
  t.equal(protectedShareOf(undefined, lengthOf([33.4, 33.4], []), 66.8), 1)
  const hours = Array<number>(30).fill(60_000)
  const all = lengthOf(hours, lookedFrames(hours))
  t.equal(protectedShareOf({ durationMs: MAX_VIDEO_MS, protectedShare: 1 }, all, 0), 1 / 3, 'ten minutes of thirty')
  t.end()
})
