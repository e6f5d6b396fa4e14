import t from 'tap'
import { forgetKeptIn, KEPT_FOR_MS, keptHashesIn } from '../../page/choosing/kept-hashes.js'
import type { Hashed, HashedVideoFile } from '../../page/hashing/outcome.js'

/** As a browser's, with room for so many characters. */
function tabStorage(roomFor = 1_000_000) {
  const entries = new Map<string, string>()
  const storage: Storage = {
    get length() {
      return entries.size
    },
    key: (at) => [...entries.keys()][at] ?? null,
    getItem: (key) => entries.get(key) ?? null,
    removeItem: (key) => void entries.delete(key),
    clear: () => entries.clear(),
    setItem(key, value) {
      const used = [...entries.values()].reduce((sum, each) => sum + each.length, 0)
      if (used + value.length > roomFor) throw new DOMException('no room', 'QuotaExceededError')
      entries.set(key, value)
    },
  }
  return { entries, storage }
}

const picture = (digit: string): Hashed => ({
  kind: 'hashed',
  quality: 90,
  signals: [{ type: 'pdq', hash: digit.repeat(64), quality: 90, view: 'whole' }],
  details: 'ZGV0YWlscw==',
})
const video: HashedVideoFile = {
  kind: 'hashed-video',
  quality: 80,
  protectedShare: 0.5,
  video: { durationMs: 1000, frames: [] },
}

function world() {
  const tab = tabStorage()
  const clock = { nowMs: 1_000_000 }
  const page = () =>
    keptHashesIn(
      () => tab.storage,
      () => clock.nowMs,
    )
  return { ...tab, clock, page }
}

t.test('what one page read, the next page in the tab gets, without details', async (t) => {
  const { entries, clock, page } = world()
  const before = page()
  before.keep(1, picture('a'))
  clock.nowMs += 1000
  before.keep(2, video)
  before.keep(2, picture('b'))
  t.same(before.earlier(), [], 'its own are not earlier ones')
  t.notMatch([...entries.values()].join(), /ZGV0YWlscw|details/)

  const after = page()
  const { details: _, ...still } = picture('a')
  t.match(after.earlier(), [{ read: still }, { read: video }])
  t.equal(after.earlier().length, 2)
  t.notOk('details' in (after.earlier()[0]?.read ?? {}))
})

t.test('an entry ends with its file, with the answer to an offer, and with everything', async (t) => {
  const { entries, storage, page } = world()
  const before = page()
  for (const id of [1, 2, 3]) before.keep(id, picture(String(id)))
  before.drop(2)
  before.drop(7)
  t.equal(entries.size, 2)

  const after = page()
  const [first] = after.earlier()
  if (first === undefined) return t.fail()
  after.adopt(-1, first)
  after.keep(-1, first.read)
  t.equal(entries.size, 2, 'what was taken back is not kept twice')
  after.keep(1, picture('9'))
  after.discardEarlier()
  t.equal(entries.size, 2, 'one that was taken back, and its own')
  after.drop(-1)
  t.equal(entries.size, 1)
  entries.set('of another', 'x')
  after.clear()
  t.same([...entries.keys()], ['of another'])

  after.keep(4, picture('4'))
  forgetKeptIn(() => storage)
  t.same([...entries.keys()], ['of another'], 'the quick exit')
})

t.test('nothing is kept for an hour or longer, also if the clock of the device is set back', async (t) => {
  for (const stepMs of [KEPT_FOR_MS, -1]) {
    const { entries, clock, page } = world()
    const one = page()
    one.keep(1, picture('1'))
    clock.nowMs += KEPT_FOR_MS - 1
    one.deleteOld()
    t.equal(entries.size, 1)
    clock.nowMs += stepMs - (KEPT_FOR_MS - 1)
    one.deleteOld()
    t.equal(entries.size, 0, `after ${stepMs} ms`)
  }
  const { entries, clock, page } = world()
  page().keep(1, picture('1'))
  clock.nowMs += KEPT_FOR_MS
  t.same(page().earlier(), [])
  t.equal(entries.size, 0, 'deleted when the page loads')
})

t.test('without room or storage nothing is kept and nothing fails; what cannot be read is deleted', async (t) => {
  const small = tabStorage(300)
  const full = keptHashesIn(() => small.storage, Date.now)
  for (const id of [1, 2, 3, 4]) full.keep(id, picture(String(id)))
  t.ok(small.entries.size >= 1 && small.entries.size < 4)
  full.clear()
  t.equal(small.entries.size, 0)

  const blocked = () => {
    throw new DOMException('blocked', 'SecurityError')
  }
  const none = keptHashesIn(blocked, Date.now)
  none.keep(1, picture('1'))
  none.deleteOld()
  none.drop(1)
  none.clear()
  forgetKeptIn(blocked)
  t.same(none.earlier(), [])

  const { entries, clock, page } = world()
  const signals = { atMs: clock.nowMs, read: { kind: 'hashed', quality: 1 } }
  const older = { atMs: clock.nowMs, read: picture('1') }
  for (const [k, text] of ['{', 'null', '[]', JSON.stringify(signals), '{"atMs":"1","read":{}}'].entries())
    entries.set(`read-1-${k}`, text)
  entries.set('read-0-x', JSON.stringify(older).slice(1))
  t.same(page().earlier(), [])
  t.equal(entries.size, 0)
})
