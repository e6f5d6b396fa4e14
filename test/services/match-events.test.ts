// Match events on their way to the store are recorded, however many there are and even if the store fails at first.

import t from 'tap'
import { createMatchRecorder, type MatchEventBatch, type MatchedImage } from '../../src/services/matching/match-recorder.js'

const INTERVAL_MS = 3_600_000

const met = (look: number | undefined, ...imageIds: readonly string[]): MatchedImage[] =>
  imageIds.map((imageId) => ({ imageId, look }))

t.test('a batch that the store refused is recorded again without counting it twice', async (t) => {
  const kept: MatchEventBatch[] = []
  let isUnavailable = true
  const matchEvents = createMatchRecorder({
    async sink(batch) {
      if (isUnavailable) throw new Error('the store is unavailable')
      kept.push(batch)
      return false
    },
    intervalMs: INTERVAL_MS,
    onError: () => {},
  })
  matchEvents.note('a', met(3, '1', '2'), undefined)
  await matchEvents.flush()
  isUnavailable = false
  matchEvents.note('b', met(undefined, '2'), undefined)
  await matchEvents.flush()
  const hits = Array.from(kept[0]?.hits ?? [], ([imageId, ofImage]) => [imageId, Object.fromEntries(ofImage)])
  const again = { hits: 0, looks: new Map() }
  t.same(Object.fromEntries(hits), { 1: { a: again }, 2: { a: again, b: { hits: 1, looks: new Map() } } })
  await matchEvents.close()
})

t.test('events beyond a full batch begin the next one', async (t) => {
  let images = 0
  const matchEvents = createMatchRecorder({
    async sink({ hits }) {
      images += hits.size
      return false
    },
    intervalMs: INTERVAL_MS,
    onError: (error) => t.fail(String(error)),
  })
  for (let i = 0; i < 150; i++)
    matchEvents.note('a', met(i, ...Array.from({ length: 1000 }, (_, j) => `${i}-${j}`)), undefined)
  await matchEvents.close()
  t.equal(images, 150_000)
})

t.test('per image and organisation each look of an upload is kept once, and at most a thousand', async (t) => {
  const looks: number[] = []
  const matchEvents = createMatchRecorder({
    async sink({ hits }) {
      const noted = hits.get('1')?.get('a')
      t.equal(noted?.hits, 4001)
      looks.push(...(noted?.looks.keys() ?? []))
      return false
    },
    intervalMs: INTERVAL_MS,
    onError: (error) => t.fail(String(error)),
  })
  matchEvents.note('a', met(undefined, '1'), undefined)
  for (let i = 0; i < 4000; i++) matchEvents.note('a', met(i >> 1, '1'), undefined)
  await matchEvents.close()
  t.same(
    looks,
    Array.from({ length: 1000 }, (_, i) => i),
  )
})
