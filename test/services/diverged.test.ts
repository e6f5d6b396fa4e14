// A store that lost changes which a process had applied, and reused their numbers, as after a failover. A process
// must drop every lost change and apply every change that replaced one.

import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { uuidV7 } from '../../packages/core/src/ids.js'
import { hashFromBytes } from '../../packages/hash/src/hash256.js'
import type { Replica } from '../../src/services/index/replica.js'
import { createSnapshots, type Snapshots } from '../../src/services/index/snapshot.js'
import type { Loss } from '../../src/store/images/changes.js'
import type { StoredImage } from '../../src/store/images/image-reads.js'
import { createImageStore, MAX_PER_CASE } from '../../src/store/images/images.js'
import { createOwnWrites } from '../../src/store/images/read-your-writes.js'
import { createImageReader } from '../../src/store/images/reader/image-reader.js'
import { connectForFollowing, openStore } from '../../src/store/redis/client.js'
import { keys } from '../../src/store/redis/keys.js'
import { raiseRevision } from '../../src/store/scripts/images/raise-revision.js'
import { makeKeyring } from '../../src/store/sealing/seal.js'
import { keepState } from '../helpers/lost-changes.js'
import { startRedis, storeAt } from '../helpers/redis.js'
import { imageOf } from '../helpers/registered-image.js'
import { replicaOf } from '../helpers/replica.js'
import { until } from '../helpers/service.js'

const keyring = makeKeyring([Buffer.alloc(32, 7)])
const clock = () => performance.now()

function someImage(): StoredImage {
  return { id: uuidV7(Date.now(), randomBytes(10)), image: imageOf(hashFromBytes(randomBytes(32))) }
}

async function world(t: Test) {
  const { socket } = await startRedis(t)
  const target = storeAt(socket)
  const store = await openStore(target)
  t.teardown(() => store.close())
  const images = createImageStore(store, keyring)
  const folder = t.testdir()
  const snapshots = () => createSnapshots({ folder, store, keyring, secret: Buffer.alloc(32, 9), clock })
  /** A process with a replica. Its change stream can be held, as when the process is suspended. */
  const process = async (
    given: { snapshots?: Snapshots; onReading?: () => Promise<unknown>; onRead?: () => Promise<void> } = {},
  ) => {
    const own = createOwnWrites()
    const follower = connectForFollowing(target)
    let gate: Promise<void> | undefined
    const read = follower.xreadBuffer.bind(follower)
    const held = async (...args: Parameters<typeof read>) => {
      const reply = await read(...args)
      await gate
      return reply
    }
    const losses: Loss[] = []
    let readings = 0
    const reader = createImageReader(target, keyring)
    const replica = replicaOf(
      { store, target, keyring },
      {
        images,
        own,
        reader: {
          async *columns() {
            readings++
            await given.onReading?.()
            yield* reader.columns()
            await given.onRead?.()
          },
        },
        snapshots: given.snapshots,
        follower: Object.assign(follower, { xreadBuffer: held }),
        onLoss: (loss) => losses.push(loss),
        onError: () => {},
      },
    )
    t.teardown(() => replica.close())
    await replica.start()
    return {
      replica,
      images: createImageStore(store, keyring, MAX_PER_CASE, own),
      losses,
      readings: () => readings,
      standStill() {
        let goOn = () => {}
        gate = new Promise<void>((resolve) => {
          goOn = resolve
        })
        return () => {
          gate = undefined
          goOn()
        }
      },
    }
  }
  return { socket, store, images, process, snapshots }
}

/** Retries through broken connections. */
async function done<T>(act: () => Promise<T>): Promise<T> {
  let result: { readonly value: T } | undefined
  await until(async () => {
    result = await act().then(
      (value) => ({ value }),
      () => undefined,
    )
    return result !== undefined
  })
  if (result === undefined) throw new Error('it was done')
  return result.value
}

function found({ catalogue }: Replica, all: readonly StoredImage[]): boolean[] {
  return all.map(({ id, image }) =>
    image.signals.some(({ hash }) =>
      catalogue
        .index('pdq')
        .within([hash], 0)
        .some((hit) => catalogue.image(hit.image)?.id === id),
    ),
  )
}

t.test('an image withdrawn under the number of a lost change matches nowhere', async (t) => {
  const { socket, images, process } = await world(t)
  const [hers, lost] = [someImage(), someImage()]
  await images.put([hers])
  const goBack = await keepState(t, socket)
  const { replica, standStill, losses } = await process()
  await replica.reached(await images.put([lost]))
  t.same(found(replica, [hers, lost]), [true, true])

  const goOn = standStill()
  await goBack()
  t.equal(await done(() => images.erase(hers.id)), replica.revision, 'the number was given twice')
  goOn()
  await until(() => losses.length > 0 && replica.isReady)

  t.same(found(replica, [hers, lost]), [false, false])
  t.same(losses, ['history-diverged'])
})

t.test('a different history that ends with the same change is detected', async (t) => {
  const { socket, images, process } = await world(t)
  const [hers, lost, last] = [someImage(), someImage(), someImage()]
  await images.put([hers])
  const goBack = await keepState(t, socket)
  const { replica, standStill, losses } = await process()
  await images.put([lost])
  await replica.reached(await images.put([last]))

  const goOn = standStill()
  await goBack()
  await done(() => images.erase(hers.id))
  t.equal(await images.put([last]), replica.revision, 'the last change is the same')
  goOn()
  await until(() => losses.length > 0 && replica.isReady)

  t.same(found(replica, [hers, lost, last]), [false, false, true])
})

t.test('a process drops its own write when the store has lost it', async (t) => {
  const { socket, process } = await world(t)
  const goBack = await keepState(t, socket)
  const { replica, images, standStill, losses } = await process()
  const [mine, theirs] = [someImage(), someImage()]
  await replica.reached(await images.put([mine]))
  const goOn = standStill()
  await goBack()
  await done(() => images.put([theirs]))
  goOn()
  await until(() => losses.length > 0 && replica.isReady)
  t.same(found(replica, [mine, theirs]), [false, true])
})

t.test('a process with another change under that number does not acknowledge a withdrawal', async (t) => {
  const { socket, images, process } = await world(t)
  const [hers, lost] = [someImage(), someImage()]
  await images.put([hers])
  const goBack = await keepState(t, socket)
  const { replica, standStill } = await process()
  await replica.reached(await images.put([lost]))

  const goOn = standStill()
  await goBack()
  const revision = (await done(() => images.erase(hers.id))) ?? 0
  const answered = replica.reached(revision).then(() => found(replica, [hers]))
  await new Promise((resolve) => setImmediate(resolve))
  goOn()
  t.same(await answered, [false], 'it matches nothing when it is answered')
})

t.test('a load during which the store loses changes is repeated', async (t) => {
  const { socket, images, process } = await world(t)
  const [kept, lost] = [someImage(), someImage()]
  await images.put([kept])
  const goBack = await keepState(t, socket)
  let times = 0
  const { replica, readings } = await process({
    onReading: async () => times === 0 && (await images.put([lost])),
    async onRead() {
      if (times++ === 0) await goBack()
    },
  })
  await until(() => replica.isReady)
  t.same(found(replica, [kept, lost]), [true, false])
  t.equal(readings(), 2)
})

t.test('a snapshot that holds lost changes is neither written nor used', async (t) => {
  const { socket, images, process, snapshots } = await world(t)
  const [hers, lost, last] = [someImage(), someImage(), someImage()]
  await images.put([hers])
  const goBack = await keepState(t, socket)
  const { replica, standStill } = await process({ snapshots: snapshots() })
  await images.put([lost])
  await replica.reached(await images.put([last]))
  await replica.saveSnapshot()
  const goOn = standStill()
  await goBack()
  await done(() => images.erase(hers.id))
  await images.put([last])

  const later = await process({ snapshots: snapshots() })
  t.same(found(later.replica, [hers, lost, last]), [false, false, true], 'written before the changes were lost')
  t.equal(later.readings(), 1)

  await replica.saveAgain()
  const again = await process({ snapshots: snapshots() })
  t.same(
    found(again.replica, [hers, lost, last]),
    [false, false, true],
    'written by a process that does not know of the loss',
  )
  goOn()
})

t.test('after a restore of the store, a snapshot from before the backup is still used', async (t) => {
  const { socket, store, images, process, snapshots } = await world(t)
  const [kept, later, withdrawn] = [someImage(), someImage(), someImage()]
  await images.put([kept])
  const first = await process({ snapshots: snapshots() })
  await first.replica.saveSnapshot()
  await images.put([later, withdrawn])
  const goBack = await keepState(t, socket)
  const newest = (await images.erase(withdrawn.id)) ?? 0
  await first.replica.close()

  await goBack()
  await done(() => store.write(raiseRevision, [keys.revision, keys.changes], [newest + 5]))
  await images.erase(withdrawn.id)
  const second = await process({ snapshots: snapshots() })
  await until(() => second.replica.isReady)

  t.same(found(second.replica, [kept, later, withdrawn]), [true, true, false])
  t.same([second.readings(), second.losses], [0, []])
})

t.test('a snapshot that does not fit the change stream is tried once, then everything is read', async (t) => {
  const { store, images, process, snapshots } = await world(t)
  const [kept, erased] = [someImage(), someImage()]
  await images.put([kept, erased])
  const first = await process({ snapshots: snapshots() })
  await first.replica.saveSnapshot()
  await first.replica.close()
  await images.erase(erased.id)
  await images.put([someImage()])
  const real = snapshots()
  let loads = 0
  const trimmed: Snapshots = {
    ...real,
    async load() {
      const snapshot = await real.load()
      loads += snapshot === undefined ? 0 : 1
      await store.ask((redis) => redis.xtrim(keys.changes, 'MAXLEN', 1)) // the stream is trimmed meanwhile
      return snapshot
    },
  }
  const second = await process({ snapshots: trimmed })
  await until(() => second.replica.isReady)

  t.same(found(second.replica, [kept, erased]), [true, false])
  t.same([loads, second.readings(), second.losses], [1, 1, ['gap']])
  await second.replica.saveAgain()
  t.ok(await real.load(), 'the next snapshot is valid')
})
