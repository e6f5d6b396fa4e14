import t from 'tap'
import { createPace, DECODING_MS_PER_MINUTE, DECODING_START_MS } from '../../../../workers/media/video/pace.js'

/** Ten minutes: a key frame every ten seconds, a frame every half second. */
const FRAMES = Array.from({ length: 1200 }, (_, index) => ({ atMs: 500 * index, isKey: index % 20 === 0 }))

t.test('within the budget all packets are decoded', async (t) => {
  const pace = createPace()
  const taken = FRAMES.filter(({ atMs, isKey }) => {
    pace.reached(atMs)
    pace.used((DECODING_MS_PER_MINUTE * atMs) / 60_000)
    return pace.takes({ atMs, isKey })
  })
  t.equal(taken.length, FRAMES.length)
  t.equal(pace.isKeyFramesOnly, false)
})

t.test('a video that costs three times the budget is decoded in parts throughout, near the budget', async (t) => {
  const pace = createPace()
  const costMs = (3 * DECODING_MS_PER_MINUTE) / 120
  let usedMs = 0
  const taken: number[] = []
  for (const { atMs, isKey } of FRAMES) {
    pace.reached(atMs)
    pace.used(usedMs)
    if (!pace.takes({ atMs, isKey })) continue
    usedMs += costMs
    taken.push(atMs)
  }
  t.equal(pace.isKeyFramesOnly, true)
  t.ok(usedMs < 1.3 * (DECODING_START_MS + 10 * DECODING_MS_PER_MINUTE))
  t.ok(
    FRAMES.every(({ atMs, isKey }) => !isKey || taken.includes(atMs)),
    'every key frame',
  )
  for (const half of [0, 300_000])
    t.ok(taken.filter((atMs) => atMs >= half && atMs < half + 300_000).length > 150, 'both halves')
  const isWhole = taken.every((atMs, index) => atMs % 10_000 === 0 || taken[index - 1] === atMs - 500)
  t.ok(isWhole, 'no packet is decoded without those that it depends on')
  const left = FRAMES.find(({ atMs }) => !taken.includes(atMs))?.atMs ?? 0
  t.equal(pace.isShown(left), false, 'a frame that was left out is not the same as the one before it')
  t.equal(pace.isShown(left - 500), true)
})

t.test('a video of key frames only costs no more', async (t) => {
  const pace = createPace()
  pace.used(10 * DECODING_START_MS)
  const taken = Array.from({ length: 100 }, (_, index) => 100 * index).filter((atMs) => pace.takes({ atMs, isKey: true }))
  t.same(taken, [0, 2000, 4000, 6000, 8000])
})
