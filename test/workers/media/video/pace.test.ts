import t from 'tap'
import { DECODING_MS_PER_MINUTE, DECODING_START_MS } from '../../../../src/domain/media/video-limits.js'
import { createPace } from '../../../../workers/media/video/pace.js'

/** Ten minutes: a key frame every ten seconds, a frame every half second. */
const FRAMES = Array.from({ length: 1200 }, (_, index) => ({ atMs: 500 * index, isKey: index % 20 === 0 }))

t.test('within the budget all packets are decoded', async (t) => {
  const pace = createPace()
  const taken = FRAMES.filter(({ atMs, isKey }) => {
    pace.reached(atMs)
    pace.used((DECODING_MS_PER_MINUTE * atMs) / 60_000)
    return pace.shouldDecode({ atMs, isKey })
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
    if (!pace.shouldDecode({ atMs, isKey })) continue
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
  t.equal(pace.shownMs(left), left - 500, 'a frame that was left out is not the same as the one before it')
  t.equal(pace.shownMs(left - 500), left - 500)
})

/** Times of packets [ms], whole as in `Packet`, of 60 seconds. */
const RATES: Readonly<Record<string, (index: number) => number>> = {
  ...Object.fromEntries(
    [24, 24000 / 1001, 25, 30, 30000 / 1001, 30.03, 60, 60000 / 1001].map((fps) => [
      fps.toFixed(2),
      (index: number) => Math.round((1000 * index) / fps),
    ]),
  ),
  variable: (index) => 33 * index + 11 * (index % 3) + (index % 50 === 0 ? 7 : 0),
}

t.test('of a video far beyond the budget a key frame is found every two seconds, at every frame rate', async (t) => {
  for (const [rate, timeOf] of Object.entries(RATES))
    for (const keySeconds of [0.5, 1, 2, 5]) {
      const pace = createPace()
      pace.used(1e9)
      const packets = Array.from({ length: 4000 }, (_, index) => timeOf(index)).filter((atMs) => atMs < 60_000)
      const keyDistance = Math.round((keySeconds * packets.length) / 60)
      for (const [index, atMs] of packets.entries()) pace.shouldDecode({ atMs, isKey: index % keyDistance === 0 })
      const shown = [...new Set(Array.from({ length: 480 }, (_, index) => pace.shownMs(125 * index)))]
      const keys = packets.filter((_, index) => index % keyDistance === 0)
      const missed = Array.from({ length: 29 }, (_, index) => 2000 * (index + 1)).filter((fromMs) => {
        const first = keys.find((atMs) => atMs >= fromMs)
        return first !== undefined && first < fromMs + 1875 && !shown.includes(first)
      })
      t.same(missed, [], `${rate} frames a second, a key frame each ${keySeconds} s`)
    }
})

t.test('a key frame that an edit list hides is not shown later', async (t) => {
  const pace = createPace()
  pace.used(1e9)
  for (const [index, atMs] of [-50, -10, 20, 2500].entries()) pace.shouldDecode({ atMs, isKey: index % 3 === 0 })
  t.equal(pace.shownMs(0), undefined)
  t.equal(pace.shownMs(125), undefined)
  t.equal(pace.shownMs(2500), 2500)
})

t.test('a video of key frames only costs no more', async (t) => {
  const pace = createPace()
  pace.used(10 * DECODING_START_MS)
  const taken = Array.from({ length: 100 }, (_, index) => 100 * index).filter((atMs) =>
    pace.shouldDecode({ atMs, isKey: true }),
  )
  t.same(taken, [0, 2000, 4000, 6000, 8000])
  t.notOk(
    pace.shouldDecode({ atMs: 0, isKey: true }) || pace.shouldDecode({ atMs: 2000, isKey: true }),
    'nor do times that go back',
  )
})
