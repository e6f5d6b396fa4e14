// What a reader of the feed gets when the store loses changes that a process had already sent, or was about to
// send.

import { randomBytes } from 'node:crypto'
import t from 'tap'
import { uuidV7 } from '../../packages/core/src/ids.js'
import { CASES_BANK } from '../../packages/core/src/matching/bank.js'
import { hashFromBytes } from '../../packages/hash/src/hash256.js'
import { createFeed } from '../../src/services/feed/feed.js'
import { createFeedCursors } from '../../src/services/feed/feed-cursor.js'
import { createFeedLines } from '../../src/services/feed/feed-lines.js'
import { ORIGIN_BYTES } from '../../src/services/index/image-ids.js'
import { createRecentChanges } from '../../src/services/index/recent-changes.js'
import { createMatchIds } from '../../src/services/matching/match-ids.js'
import { createViewIds } from '../../src/services/matching/stopped-views.js'
import { createFeedBatches } from '../../src/store/exchange/feed-batches.js'
import type { StoredImage } from '../../src/store/images/image-reads.js'
import { createImageStore } from '../../src/store/images/images.js'
import { createBankStore } from '../../src/store/organisations/banks.js'
import { openStore } from '../../src/store/redis/client.js'
import { makeKeyring } from '../../src/store/sealing/seal.js'
import { createTrustStore } from '../../src/store/trust/trust.js'
import { keepState } from '../helpers/lost-changes.js'
import { startRedis, storeAt } from '../helpers/redis.js'
import { imageOf } from '../helpers/registered-image.js'
import { replicaOf } from '../helpers/replica.js'
import { until } from '../helpers/service.js'

const READER = {
  orgId: 'reader',
  keyId: 'k',
  allViews: true,
  filter: { banks: undefined, categories: undefined, tiers: undefined },
}
const { socket } = await startRedis(t)
const target = storeAt(socket)
const store = await openStore(target)
const keyring = makeKeyring([Buffer.alloc(32, 7)])
const images = createImageStore(store, keyring)
const recent = createRecentChanges()
let losses = 0
const replica = replicaOf(
  { store, target, keyring },
  {
    images,
    onChanges: recent.note,
    onLoss() {
      losses++
      recent.clear()
    },
    onError: () => {},
  },
)
t.teardown(async () => {
  await replica.close()
  await store.close()
})
const matchIds = createMatchIds(randomBytes(32))
const feed = createFeed({
  store,
  lines: createFeedLines({
    images,
    trusts: createTrustStore(store),
    matchIds,
    viewIdOf: createViewIds(randomBytes(32)),
    onError: () => t.fail(),
  }),
  batches: createFeedBatches(store, { minMs: 0, maxMs: 0 }, ORIGIN_BYTES),
  replica,
  recent,
  cursors: createFeedCursors(randomBytes(32)),
  audit: { recordDaily: () => {}, record: async () => {} },
  clock: () => performance.now(),
})

function follower() {
  const held = new Set<string>()
  let after: string | undefined
  let snapshots = 0
  return {
    holds: ({ id }: StoredImage) => held.has(matchIds.idFor(READER.orgId, id)),
    snapshots: () => snapshots,
    async hear(limit = 100): Promise<void> {
      const named = new Set<string>()
      let isSnapshot = false
      for (let more = true; more; )
        for await (const line of feed.page(READER, { after, limit, waitMs: 0, signal: new AbortController().signal })) {
          if (line.op === 'snapshot-begin') {
            isSnapshot = true
            snapshots++
          } else if (line.op === 'snapshot-end') {
            if (isSnapshot) for (const id of held) if (!named.has(id)) held.delete(id)
            isSnapshot = false
          } else if (line.op === 'upsert') {
            held.add(line.id)
            named.add(line.id)
          } else if (line.op === 'tombstone') held.delete(line.id)
          else if (line.op === 'cursor') {
            after = line.cursor
            more = line.more && limit > 1
          }
        }
    },
  }
}

/** Of a bank: such images may be registered again. */
const someImage = () => ({
  id: uuidV7(Date.now(), randomBytes(10)),
  image: { ...imageOf(hashFromBytes(randomBytes(32))), bank: 'mine' },
})
await createBankStore(store).add({ ...CASES_BANK, name: 'mine', orgId: 'owner' }, 'operator')
await replica.start()

async function lose(goBack: () => Promise<void>, instead: StoredImage): Promise<void> {
  const before = losses
  await goBack()
  let revision: number | undefined
  await until(async () => {
    revision ??= await images.put([instead]).catch(() => undefined)
    return revision !== undefined
  })
  await until(() => losses > before && replica.isReady && (replica.revision ?? 0) >= (revision ?? 0))
}

t.test('an entry left out because a later change was to come is sent when that change is lost', async (t) => {
  const [old, hers, lost, instead] = [someImage(), someImage(), someImage(), someImage()]
  await replica.reached(await images.put([old]))
  const one = follower()
  await one.hear()
  await replica.reached(await images.put([hers]))
  const goBack = await keepState(t, socket)
  await images.put([lost])
  await replica.reached(await images.put([hers])) // sent at its last change
  await lose(goBack, instead)
  await one.hear()
  t.same([old, hers, lost, instead].map(one.holds), [true, true, false, true])
})

t.test('a cursor whose page relied on a change that is lost leads to a snapshot', async (t) => {
  const [hers, other, instead] = [someImage(), someImage(), someImage()]
  const one = follower()
  await one.hear()
  const snapshots = one.snapshots()
  await images.put([hers])
  const goBack = await keepState(t, socket)
  await images.put([other])
  await replica.reached(await images.put([hers]))
  await one.hear(1)
  t.notOk(one.holds(hers), 'its last change is still to be sent')
  await lose(goBack, instead)
  await one.hear()
  t.same([hers, other, instead].map(one.holds), [true, false, true])
  t.equal(one.snapshots(), snapshots + 1)
})
