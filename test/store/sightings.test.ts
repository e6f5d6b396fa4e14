// How uploads look in which an image was found, for one to two halves of a day: how many look unlike, and nothing else of them.

import { randomBytes } from 'node:crypto'
import t from 'tap'
import { hashFromBytes } from '../../packages/hash/src/hash256.js'
import { uuidV7 } from '../../src/domain/ids.js'
import { LOOKS_WINDOW_MS } from '../../src/domain/trust/flood.js'
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
const looks = (from: number, to: number, view?: number) =>
  Array.from({ length: to - from }, (_, i) => ({ look: `look ${from + i}`, view }))
const START_MS = 1000 * LOOKS_WINDOW_MS

t.test('looks are counted once each, over this half of a day and the one before', async (t) => {
  const { id } = await registered()
  const note = (from: number, to: number, halves: number) =>
    matchEvents.note(id, counts, looks(from, to), START_MS + halves * LOOKS_WINDOW_MS)
  t.match(await note(0, 50, 0), { uploads: 120, looks: 50 })
  t.match(await note(25, 75, 0), { uploads: 240, looks: 75 })
  t.match(await note(50, 100, 1), { uploads: 360, looks: 100 }, 'with the half before')
  t.match(await note(0, 10, 2), { uploads: 240, looks: 60 }, 'and not with the one before that')
  t.match(await note(0, 10, 1.9), { uploads: 360, looks: 60 }, 'a clock that lags loses nothing')
  t.match(await note(0, 0, 4), { uploads: 120, looks: 0 })
})

t.test('new looks are counted for the view that alone decided them, as long as looks are', async (t) => {
  const { id } = await registered()
  const note = async (shown: ReturnType<typeof looks>, halves: number) =>
    Object.fromEntries((await matchEvents.note(id, counts, shown, START_MS + halves * LOOKS_WINDOW_MS))?.looksByView ?? [])
  t.same(await note(looks(0, 20, 3), 0), { 3: 20 })
  t.same(await note([...looks(10, 30, 3), ...looks(30, 35, 255), ...looks(35, 80)], 0), { 3: 30, 255: 5 })
  t.same(await note(looks(0, 4, 0), 1), { 0: 4, 3: 30, 255: 5 }, 'with the half before')
  t.same(await note([], 2), { 0: 4 }, 'and not with the one before that')
  t.same(await note([], 4), {})
})

t.test('they end by themselves, and with the image', async (t) => {
  const { id, hex } = await registered()
  await matchEvents.note(id, counts, looks(0, 5), START_MS)
  await matchEvents.note(id, counts, looks(0, 5), START_MS + LOOKS_WINDOW_MS)
  const kept = [keys.looks(hex), keys.looksBefore(hex)]
  for (const key of kept) t.ok((await store.ask((redis) => redis.pttl(key))) > 0, key)
  t.equal(await store.ask((redis) => redis.hexists(keys.matchEvents(hex), 'past')), 0)
})

t.test('an image takes a bounded room, however many look unlike', async (t) => {
  const { id, hex } = await registered()
  for (let i = 0; i < 40; i++) await matchEvents.note(id, counts, looks(i * 500, i * 500 + 500), START_MS)
  const bytes = Number(await store.ask((redis) => redis.call('MEMORY', 'USAGE', keys.looks(hex))))
  t.ok(bytes < 16_384, `${bytes} bytes`)
})
