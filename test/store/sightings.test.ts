// How many unlike uploads an image was found in, over the last one to two half days. Nothing else of the uploads is kept.

import { randomBytes } from 'node:crypto'
import t from 'tap'
import { uuidV7 } from '../../packages/core/src/ids.js'
import { hashFromBytes } from '../../packages/hash/src/hash256.js'
import { FLOOD_WINDOW_MS, LOOKS_WINDOW_MS, MAX_VIEW } from '../../src/domain/trust/flood.js'
import { createImageStore } from '../../src/store/images/images.js'
import { openStore } from '../../src/store/redis/client.js'
import { keys } from '../../src/store/redis/keys.js'
import { makeKeyring } from '../../src/store/sealing/seal.js'
import { createMatchEventStore } from '../../src/store/trust/match-counts.js'
import { startRedis, storeAt } from '../helpers/redis.js'
import { imageOf } from '../helpers/registered-image.js'

const server = await startRedis(t)
const store = await openStore(storeAt(server.socket))
t.teardown(() => store.close())
const matchEvents = createMatchEventStore(store)

async function registered(): Promise<{ id: string; hex: string }> {
  const id = uuidV7(1, randomBytes(10))
  await createImageStore(store, makeKeyring([randomBytes(32)])).put([{ id, image: imageOf(hashFromBytes(randomBytes(32))) }])
  return { id, hex: id.replaceAll('-', '') }
}

const counts = [
  { pseudonym: 'p', hits: 100 },
  { pseudonym: 'q', hits: 20 },
]
/** @param frame by which a video was found. */
const looks = (from: number, to: number, frame?: string) =>
  Array.from({ length: to - from }, (_, i) => ({
    look: `look ${frame} ${from + i}`,
    frame,
    view: undefined,
    pseudonym: 'p',
  }))
const START_MS = 1000 * LOOKS_WINDOW_MS

t.test('looks are counted once each, over this half day and the one before', async (t) => {
  const { id } = await registered()
  const note = (from: number, to: number, halves: number) =>
    matchEvents.note(id, counts, looks(from, to), START_MS + halves * LOOKS_WINDOW_MS)
  t.match(await note(0, 50, 0), { uploads: 120, looks: 50 })
  t.match(await note(25, 75, 0), { uploads: 240, looks: 75 })
  t.match(await note(50, 100, 1), { uploads: 360, looks: 100 }, 'with the half day before')
  t.match(await note(0, 10, 2), { uploads: 240, looks: 60 }, 'not with the one before that')
  t.match(await note(0, 10, 1.9), { uploads: 360, looks: 60 }, 'a clock that lags loses nothing')
  t.match(await note(0, 0, 4), { uploads: 120, looks: 0 })
})

t.test('matches that a clock counted far ahead do not add up until that time', async (t) => {
  const { id } = await registered()
  const note = (from: number, halves: number) =>
    matchEvents.note(id, counts, looks(from, from + 20), START_MS + halves * LOOKS_WINDOW_MS)
  await note(0, 60)
  for (let day = 0; day < 6; day++) t.match(await note(20 + 20 * day, 2 * day), { uploads: 120, looks: 20 })
  t.same((await note(200, 11))?.hits.toSorted(), [100, 20], 'those of an earlier hour are not counted either')
})

t.test('new looks are counted for the organisation that brought them, and for the hour', async (t) => {
  const { id } = await registered()
  const note = (from: number, to: number, pseudonym: string, hours: number) => {
    const shown = looks(from, to).map((each) => ({ ...each, pseudonym }))
    return matchEvents.note(id, counts, shown, START_MS + hours * FLOOD_WINDOW_MS)
  }
  t.match(await note(0, 20, 'p', 0), { looksByPlatform: [20], hours: 1 })
  const both = await note(15, 30, 'q', 1)
  t.same([both?.looksByPlatform.toSorted(), both?.hours], [[10, 20], 2], 'each look once')
  t.match(await note(0, 30, 'r', 2), { hours: 2 }, 'an hour without new looks')
  t.match(await note(40, 45, 'p', 13), { hours: 3 }, 'with the half day before')
  t.match(await note(0, 0, 'p', 25), { looksByPlatform: [5], hours: 1 })
})

t.test('new looks are counted for the view that alone decided them, as long as looks are', async (t) => {
  const { id } = await registered()
  const of = (from: number, to: number, view?: number) => looks(from, to).map((each) => ({ ...each, view }))
  const note = async (shown: ReturnType<typeof of>, halves: number) =>
    Object.fromEntries((await matchEvents.note(id, counts, shown, START_MS + halves * LOOKS_WINDOW_MS))?.looksByView ?? [])
  t.same(await note(of(0, 20, 3), 0), { 3: 20 })
  t.same(await note([...of(10, 30, 3), ...of(30, 35, MAX_VIEW), ...of(35, 80)], 0), { 3: 30, [MAX_VIEW]: 5 })
  t.same(await note([...of(0, 4, 0), ...of(80, 84, 0)], 1), { 0: 4, 3: 30, [MAX_VIEW]: 5 }, 'with the half before')
  t.same(await note([], 2), { 0: 4 }, 'and not with the one before that')
  t.same(await note(of(90, 94, 7), 2), { 0: 4, 7: 4 })
  t.same(await note([], 4), {})
})

t.test('looks of a video are counted by frame, and the highest count is used', async (t) => {
  const { id } = await registered()
  const note = (halves: number, ...some: ReturnType<typeof looks>[]) =>
    matchEvents.note(id, counts, some.flat(), START_MS + halves * LOOKS_WINDOW_MS)
  const oneOfEach = Array.from({ length: 300 }, (_, i) => looks(0, 1, `frame ${i}`))
  t.match(await note(0, ...oneOfEach), { looks: 1 }, 'an edited copy, asked about still by still')
  t.match(await note(0, ...oneOfEach), { looks: 1 }, 'and again')
  t.match(await note(0, looks(0, 30, 'title')), { looks: 30 }, 'unlike uploads with one title')
  t.match(await note(1, looks(20, 50, 'title'), looks(0, 5, 'end')), { looks: 50 }, 'with the half day before')
  t.match(await note(2, looks(0, 10, 'end')), { looks: 20 }, 'not with the one before that')
  t.match(await note(4), { looks: 0 })
})

t.test('looks expire, or are erased with their image', async (t) => {
  const { id, hex } = await registered()
  await matchEvents.note(id, counts, looks(0, 5, 'frame'), START_MS)
  await matchEvents.note(id, counts, looks(5, 9, 'frame'), START_MS + LOOKS_WINDOW_MS)
  const kept = [keys.looks, keys.looksBefore, keys.lookFrames, keys.lookFramesBefore].map((key) => key(hex))
  for (const key of kept) t.ok((await store.ask((redis) => redis.pttl(key))) > 0, key)
  await createImageStore(store, makeKeyring([randomBytes(32)])).erase(id)
  t.equal(await store.ask((redis) => redis.exists(...kept)), 0)
})

t.test('looks of an image take bounded memory', async (t) => {
  const { id, hex } = await registered()
  for (let i = 0; i < 40; i++) await matchEvents.note(id, counts, looks(i * 500, i * 500 + 500), START_MS)
  const bytes = Number(await store.ask((redis) => redis.call('MEMORY', 'USAGE', keys.looks(hex))))
  t.ok(bytes < 16_384, `${bytes} bytes`)
})
