// Matches on their way to the store: who was told is noted, however many there are, and although the store did not take them at once.

import t from 'tap'
import { type SightingBatch, sightingsKeptBy } from '../../src/services/sightings.js'

const EVERY_MS = 3_600_000

t.test('a batch that was not taken is noted again, without counting it twice', async (t) => {
  const kept: SightingBatch[] = []
  let isAway = true
  const sightings = sightingsKeptBy({
    async keep(batch) {
      if (isAway) throw new Error('the store is away')
      kept.push(batch)
      return false
    },
    everyMs: EVERY_MS,
    onTrouble: () => {},
  })
  sightings.note('a', ['1', '2'], undefined)
  await sightings.flush()
  isAway = false
  sightings.note('b', ['2'], undefined)
  await sightings.flush()
  const hits = Array.from(kept[0]?.hits ?? [], ([imageId, ofImage]) => [imageId, Object.fromEntries(ofImage)])
  t.same(Object.fromEntries(hits), { 1: { a: 0 }, 2: { a: 0, b: 1 } })
  await sightings.close()
})

t.test('more than a batch holds begins the next one', async (t) => {
  let images = 0
  const sightings = sightingsKeptBy({
    async keep({ hits }) {
      images += hits.size
      return false
    },
    everyMs: EVERY_MS,
    onTrouble: (error) => t.fail(String(error)),
  })
  for (let i = 0; i < 150; i++)
    sightings.note(
      'a',
      Array.from({ length: 1000 }, (_, j) => `${i}-${j}`),
      undefined,
    )
  await sightings.close()
  t.equal(images, 150_000)
})
