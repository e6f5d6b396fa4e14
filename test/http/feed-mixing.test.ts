// A follower cannot see which pictures were registered together: not by small pages, snapshots, filters or other interfaces.

import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { FEED_DELAY } from '../../src/store/exchange/feed-batches.js'
import { keys } from '../../src/store/redis/keys.js'
import { follower, readFeed } from '../helpers/feed.js'
import { del, post } from '../helpers/requests.js'
import { keyFor, openCase, randomHashText, startService, type TestService } from '../helpers/service.js'
import { ask, caseWithPicture, operator } from '../helpers/trust.js'

/** A service with the delay of production. `wait` moves the start of the delay back. */
async function world(t: Test) {
  const service = await startService(t, { feedDelay: FEED_DELAY })
  const redis = new Redis(service.redis.socket)
  t.teardown(() => redis.disconnect())
  return {
    service,
    reader: await keyFor(service, 'reader', ['feed', 'match']),
    async wait(ms: number) {
      const sinceMs = Number(await redis.get(keys.feedWaitingSince))
      if (sinceMs > 0) await redis.set(keys.feedWaitingSince, sinceMs - ms)
    },
  }
}

async function someCase({ app }: TestService, count: number) {
  const her = await openCase(app)
  const hashes = Array.from({ length: count }, () => randomHashText())
  const images = hashes.map((hash) => ({ signals: [{ type: 'pdq', hash, quality: 90 }], category: 'nude' }))
  const added = await post(app, `${her.url}/hashes`, { images }, her.headers)
  if (added.statusCode !== 201) throw new Error(added.body)
  return { ...her, hashes }
}

/** Reads the whole feed in pages of one line. @returns the upserts of each page. */
async function pagesOfOne(processes: readonly TestService[], headers: Record<string, string>, his = follower()) {
  const pages: { readonly id: string; readonly hash: string | undefined }[][] = []
  for (let more = true, i = 0; more && i < 100; i++) {
    const [service = processes[0]] = [processes[i % processes.length]]
    if (service === undefined) throw new Error('no process')
    const after = his.cursor() === undefined ? '' : `&after=${his.cursor()}`
    const lines = await readFeed(service, headers, `?limit=1${after}`)
    more = his.hear(lines)
    pages.push(lines.flatMap((line) => (line.op === 'upsert' ? [{ id: line.id, hash: line.signals[0]?.hash }] : [])))
  }
  return pages.filter((page) => page.length > 0)
}

t.test('images of a case appear in the feed one by one, mixed with images of other cases', async (t) => {
  const { service, reader, wait } = await world(t)
  const second = await startService(t, { redis: service.redis, feedDelay: FEED_DELAY })
  const his = follower()
  his.hear(await readFeed(service, reader.headers))

  const hers = await someCase(service, 5)
  const asked = await post(
    service.app,
    '/v1/match',
    { queries: [{ signals: [{ type: 'pdq', hash: hers.hashes[0] }] }] },
    reader.headers,
  )
  t.equal(asked.json<{ results: { matches: unknown[] }[] }>().results[0]?.matches.length, 1, 'match answers are not delayed')
  await wait(FEED_DELAY.minMs)
  const told = async () =>
    JSON.stringify([
      await readFeed(service, reader.headers, `?limit=1&after=${his.cursor()}`),
      await readFeed(service, reader.headers),
      await readFeed(service, reader.headers, '?categories=composite'),
      await readFeed(service, reader.headers, '?tiers=verified'),
    ])
  t.notMatch(await told(), /upsert|tombstone/, 'images of a single case are not in the feed, by page, snapshot or filter')
  const fetch = (query: string) =>
    service.app.inject({ url: `/stopncii/v1/FetchHashes?${query}`, headers: { 'x-functions-key': reader.key } })
  t.equal(
    (await fetch('startTimestamp=0&pageSize=1')).json<{ count: number }>().count,
    0,
    'not in the StopNCII interface either',
  )

  const others = [await someCase(service, 3), await someCase(service, 4)]
  const all = [hers, ...others].flatMap(({ hashes }) => hashes)
  const pages = await pagesOfOne([service, second], reader.headers, his)
  t.ok(
    pages.every((page) => page.length === 1),
    'one image for each page',
  )
  t.same(pages.map(([one]) => one?.hash).sort(), [...all].sort(), 'each image once, over both processes')
  const ids = pages.map(([one]) => one?.id)
  t.same(ids, ids.toSorted(), 'in the order of their random ids')
  const first = await fetch('startTimestamp=0&pageSize=1')
  t.ok(first.json<{ count: number }>().count >= 1)
})

t.test('withdrawals are not delayed, and an image that is withdrawn during the delay never appears', async (t) => {
  const { service, reader, wait } = await world(t)
  const told = await someCase(service, 2)
  const his = follower()
  his.hear(await readFeed(service, reader.headers))
  t.equal(his.held.size, 0)
  await wait(FEED_DELAY.maxMs)
  await pagesOfOne([service], reader.headers, his)
  t.equal(his.held.size, 2, 'after the maximum delay, without images of others')

  const [brief, decoy] = [await someCase(service, 3), await someCase(service, 3)]
  await someCase(service, 2)
  await wait(FEED_DELAY.minMs)
  for (const { url, headers } of [told, brief, decoy]) await del(service.app, url, headers)
  const lines = await readFeed(service, reader.headers, `?limit=1000&after=${his.cursor()}`)
  his.hear(lines)
  t.equal(his.held.size, 0, 'the next page removes the withdrawn images')
  t.notMatch(JSON.stringify(lines), /upsert/, 'withdrawn images do not count as company for the remaining case')
  await wait(FEED_DELAY.maxMs)
  await pagesOfOne([service], reader.headers, his)
  t.equal(his.held.size, 2)
  t.notMatch(JSON.stringify([...his.held.values()]), new RegExp(brief.hashes.join('|')))
})

t.test('a snapshot includes images that changed since, and a waiting follower gets the end of a batch', async (t) => {
  const { service, reader, wait } = await world(t)
  const { imageId } = await caseWithPicture(service)
  const admin = await operator(service)
  await readFeed(service, reader.headers)
  await wait(FEED_DELAY.maxMs)
  const his = follower()
  his.hear(await readFeed(service, reader.headers))
  t.equal(his.held.size, 1)
  await ask(service, 'POST', `/v1/signals/${imageId}/dispute`, admin.headers, { reason: 'other' })
  const late = follower()
  late.hear(await readFeed(service, reader.headers))
  t.equal(late.held.size, 1, 'a disputed image stays in the snapshot')
  await wait(FEED_DELAY.maxMs - 1000)
  t.match(await readFeed(service, reader.headers, `?wait=20&after=${his.cursor()}`), [
    { op: 'upsert', disputed: true },
    { op: 'cursor' },
  ])
})
