// What a reader gets from a process that knows less than the store.

import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { createFeed } from '../../src/services/feed/feed.js'
import { createFeedCursors } from '../../src/services/feed/feed-cursor.js'
import { createFeedLines } from '../../src/services/feed/feed-lines.js'
import { ORIGIN_BYTES } from '../../src/services/index/image-ids.js'
import { createRecentChanges } from '../../src/services/index/recent-changes.js'
import { createMatchIds } from '../../src/services/matching/match-ids.js'
import { createViewIds } from '../../src/services/matching/stopped-views.js'
import { createFeedBatches } from '../../src/store/exchange/feed-batches.js'
import { lastRevision } from '../../src/store/images/changes.js'
import { createImageStore } from '../../src/store/images/images.js'
import { connectForFollowing, openStore } from '../../src/store/redis/client.js'
import { makeKeyring } from '../../src/store/sealing/seal.js'
import { createTrustStore } from '../../src/store/trust/trust.js'
import { storeAt } from '../helpers/redis.js'
import { replicaOf } from '../helpers/replica.js'
import { keyFor, randomHashText, startService, until } from '../helpers/service.js'
import { ask } from '../helpers/trust.js'

t.test('a late process serves what it knows, and the rest once it knows it', async (t) => {
  const writer = await startService(t)
  const ngo = await keyFor(writer, 'ngo', ['signals:write'], 'ngo')
  await ask(writer, 'POST', '/v1/banks', ngo.headers, { name: 'mine' })
  await ask(writer, 'POST', '/v1/banks/mine/signals', ngo.headers, { signals: [{ type: 'pdq', hash: randomHashText() }] })
  const late = await lateProcess(t, writer.redis.socket)
  const held = new Set<string>()
  let after: string | undefined
  const hear = async () => {
    const reader = {
      orgId: 'reader',
      keyId: 'k',
      allViews: true,
      filter: { banks: undefined, categories: undefined, tiers: undefined },
    }
    const ask = { after, limit: 100, waitMs: 0, signal: new AbortController().signal }
    for await (const line of late.feed.page(reader, ask)) {
      if (line.op === 'upsert') held.add(line.id)
      if (line.op === 'tombstone') held.delete(line.id)
      if (line.op === 'cursor') after = line.cursor
    }
  }
  await hear()
  t.equal(held.size, 1)

  const goOn = late.standStill()
  await writer.app.inject({ method: 'PATCH', url: '/v1/banks/mine', headers: ngo.headers, payload: { readers: [] } })
  await hear()
  t.equal(held.size, 1, 'its banks are the previous ones')
  goOn()
  await until(late.hasCaughtUp)
  await hear()
  t.equal(held.size, 0, 'no change was skipped meanwhile')
})

/** A feed over a replica whose change stream can be held. */
async function lateProcess(t: Test, socket: string) {
  const target = storeAt(socket)
  const store = await openStore(target)
  const keyring = makeKeyring([Buffer.alloc(32, 7)])
  const follower = connectForFollowing(target)
  const parts = { store, images: createImageStore(store, keyring), trusts: createTrustStore(store) }
  let gate: Promise<void> | undefined
  const read = follower.xreadBuffer.bind(follower)
  const held = async (...args: Parameters<typeof read>) => {
    const reply = await read(...args)
    await gate
    return reply
  }
  const replica = replicaOf(
    { store, target, keyring },
    {
      ...parts,
      follower: Object.assign(follower, { xreadBuffer: held }),
      onError: (error) => t.fail(String(error)),
    },
  )
  t.teardown(async () => {
    await replica.close()
    await store.close()
  })
  await replica.start()
  const feed = createFeed({
    store,
    lines: createFeedLines({
      ...parts,
      matchIds: createMatchIds(randomBytes(32)),
      viewIdOf: createViewIds(randomBytes(32)),
      onError: () => t.fail(),
    }),
    batches: createFeedBatches(store, { minMs: 0, maxMs: 0 }, ORIGIN_BYTES),
    replica,
    recent: createRecentChanges(),
    cursors: createFeedCursors(randomBytes(32)),
    audit: { recordDaily: () => {}, record: async () => {} },
    clock: () => performance.now(),
  })
  return {
    feed,
    standStill() {
      let open = () => {}
      gate = new Promise<void>((resolve) => {
        open = resolve
      })
      return open
    },
    hasCaughtUp: async () => {
      const last = await lastRevision(store)
      return replica.revision === last
    },
  }
}
