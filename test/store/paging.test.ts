// Pages of lists in the store: each entry comes once, with equal scores and with concurrent changes.

import fc from 'fast-check'
import t from 'tap'
import type { PageCursor } from '../../src/domain/page-cursor.js'
import { formatCursor, parseCursor } from '../../src/domain/page-cursor.js'
import { openStore } from '../../src/store/redis/client.js'
import {
  cursorOf,
  lastPageOfSorted,
  lastPageOfStream,
  pageOfSorted,
  pageOfSortedAmong,
  pageOfStream,
  type SortedEntry,
  scanHash,
  scanKeys,
} from '../../src/store/redis/paging.js'
import { startRedis, storeAt } from '../helpers/redis.js'
import { runs } from '../helpers/runs.js'

const redis = await startRedis(t)
const store = await openStore(storeAt(redis.socket))
t.teardown(() => store.close())
const KEY = '{test}:list'

/** Any bytes, because Redis sorts by bytes and not by a language. */
const member = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 3 }),
  fc.constantFrom('a', 'B', 'ä', 'Z', 'aa').map((text) => Buffer.from(text)),
)
const entry = fc.tuple(member, fc.integer({ min: -1, max: 3 }))
const change = fc.oneof(
  fc.record({ kind: fc.constant('add' as const), entry }),
  fc.record({ kind: fc.constant('remove' as const), nth: fc.nat(30) }),
)

t.test('entries that stay in a list come once and in order, in both directions', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(entry, { maxLength: 30 }),
      fc.array(change, { maxLength: 10 }),
      fc.integer({ min: 1, max: 4 }),
      fc.boolean(),
      async (entries, changes, limit, isDown) => {
        const list = new Map<string, number>()
        await store.ask((client) => client.del(KEY))
        const set = async (bytes: Uint8Array, score: number) => {
          const hex = Buffer.from(bytes).toString('hex')
          if (!list.has(hex)) list.set(hex, score)
          await store.ask((client) => client.zadd(KEY, 'NX', score, Buffer.from(bytes)))
        }
        for (const [bytes, score] of entries) await set(bytes, score)
        const throughout = new Map(list)
        const seen: SortedEntry[] = []
        const page = isDown ? lastPageOfSorted : pageOfSorted
        const left = [...changes]
        for (let after: PageCursor | undefined; ; ) {
          const found = await page(store, KEY, { from: '(-1', to: 2, after, limit })
          if (found.length > limit) throw new Error('a page without a bound')
          seen.push(...found)
          const last = found.at(-1)
          if (last === undefined) break
          after = cursorOf(last)
          const next = left.shift()
          if (next?.kind === 'add') await set(...next.entry)
          if (next?.kind === 'remove') {
            const hex = [...list.keys()][next.nth]
            if (hex !== undefined) {
              list.delete(hex)
              throughout.delete(hex)
              await store.ask((client) => client.zrem(KEY, Buffer.from(hex, 'hex')))
            }
          }
        }
        const names = seen.map((one) => one.member.toString('hex'))
        for (const [hex, score] of throughout) {
          const times = names.filter((name) => name === hex).length
          if (times !== (score > -1 && score <= 2 ? 1 : 0)) throw new Error(`${hex} came ${times} times`)
        }
        const sorted = seen.toSorted((a, b) => a.score - b.score || Buffer.compare(a.member, b.member))
        t.same(seen, isDown ? sorted.toReversed() : sorted)
      },
    ),
    { numRuns: runs(50) },
  )
})

const MANY = 2500

t.test('paging works with 2,500 equal scores, with removed entries and for members of a set', async (t) => {
  const names = Array.from({ length: MANY }, (_, i) => `n${i}`)
  await store.ask(async (client) => {
    await client.del(KEY, '{test}:some')
    await client.zadd(KEY, ...names.flatMap((name) => [1_700_000_000_000, name]))
    await client.sadd('{test}:some', ...names.filter((_, i) => i % 2 === 0), 'not in the list')
  })
  const all: string[] = []
  for (let after: PageCursor | undefined; ; ) {
    const page = await pageOfSorted(store, KEY, { to: 1_700_000_000_000, after, limit: 100 })
    all.push(...page.map((one) => one.member.toString()))
    const last = page.at(-1)
    if (last === undefined) break
    after = cursorOf(last)
    await store.ask((client) => client.zrem(KEY, last.member)) // the next page begins behind this entry
  }
  t.equal(all.length, MANY)
  t.equal(new Set(all).size, MANY)

  await store.ask((client) => client.zadd(KEY, ...names.flatMap((name) => [1_700_000_000_000, name])))
  const some: string[] = []
  for (let after: PageCursor | undefined; ; ) {
    const page = await pageOfSortedAmong(store, KEY, '{test}:some', { to: 1_700_000_000_000, after, limit: 100 })
    t.ok(page.length <= 100)
    some.push(...page.map((one) => one.member.toString()))
    const last = page.at(-1)
    if (last === undefined) break
    after = cursorOf(last)
    await store.ask((client) => client.srem('{test}:some', last.member))
  }
  t.same(new Set(some), new Set(names.filter((_, i) => i % 2 === 0)))
  t.equal(some.length, MANY / 2)
  t.same(await pageOfSortedAmong(store, KEY, '{test}:some', { to: 1, after: undefined, limit: 5 }), [])
})

t.test('pages of streams and scans of hashes and keys return every entry', async (t) => {
  const key = '{test}:stream'
  await store.ask(async (client) => {
    const pipeline = client.pipeline()
    for (let i = 0; i < MANY; i++) pipeline.xadd(key, `7-${i + 1}`, 'n', String(i)) // in one millisecond
    await pipeline.exec()
  })
  const ids: string[] = []
  for (let page = await pageOfStream(store, key, undefined, 300); page.length > 0; ) {
    ids.push(...page.map(([id]) => id.toString()))
    page = await pageOfStream(store, key, ids.at(-1), 300)
  }
  t.same(
    ids,
    Array.from({ length: MANY }, (_, i) => `7-${i + 1}`),
  )
  const back: string[] = []
  for (let page = await lastPageOfStream(store, key, undefined, 300); page.length > 0; ) {
    back.push(...page.map(([id]) => id.toString()))
    page = await lastPageOfStream(store, key, back.at(-1), 300)
  }
  t.same(back, ids.toReversed())

  const fields = Object.fromEntries(Array.from({ length: MANY }, (_, i) => [`f${i}`, String(i)]))
  await store.ask((client) => client.hset('{test}:hash', fields))
  const found: Record<string, string> = {}
  for await (const some of scanHash(store, '{test}:hash', 100))
    for (const [field, value] of some) found[field.toString()] = value.toString()
  t.same(found, fields)
  t.same((await scanKeys(store, '{test}:*')).toSorted(), ['{test}:hash', '{test}:list', '{test}:some', '{test}:stream'])
})

t.test('a cursor is formatted and parsed, and an invalid one is not', async (t) => {
  for (const member of ['00', 'ff'.repeat(256)]) {
    const place = { score: 1_700_000_000_000, member }
    t.same(parseCursor(formatCursor(place)), place)
  }
  for (const text of ['', '1', '1.', '1.0', '1.zz', '-1.00', `1.${'ff'.repeat(257)}`, '1.00\n']) {
    t.equal(parseCursor(text), undefined, JSON.stringify(text))
  }
})
