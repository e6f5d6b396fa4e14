// Details of images with extended protection: stored, found by every process, and erased with the image.

import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import t from 'tap'
import { formatUuid } from '../../packages/core/src/ids.js'
import { CASES_BANK_NAME } from '../../packages/core/src/matching/bank.js'
import type { RegisteredImage } from '../../packages/core/src/matching/signal.js'
import { hashFromBytes } from '../../packages/hash/src/hash256.js'
import type { Catalogue } from '../../src/services/index/catalogue.js'
import { createSnapshots } from '../../src/services/index/snapshot.js'
import { createCaseStore } from '../../src/store/cases/cases.js'
import type { StoredImage } from '../../src/store/images/image-reads.js'
import { createImageStore } from '../../src/store/images/images.js'
import { createImageReader } from '../../src/store/images/reader/image-reader.js'
import { openStore } from '../../src/store/redis/client.js'
import { detailShard, keys } from '../../src/store/redis/keys.js'
import { makeKeyring } from '../../src/store/sealing/seal.js'
import { startRedis, storeAt } from '../helpers/redis.js'
import { replicaOf } from '../helpers/replica.js'

const keyring = makeKeyring([Buffer.alloc(32, 7)])
const { socket } = await startRedis(t)
const target = storeAt(socket)
const store = await openStore(target)
const redis = new Redis(socket)
t.teardown(async () => {
  redis.disconnect()
  await store.close()
})
const images = createImageStore(store, keyring)
const clock = () => performance.now()
const snapshots = createSnapshots({ folder: t.testdir(), store, keyring, secret: Buffer.alloc(32, 9), clock })
let fullReads = 0

t.test('every process finds the details of an image, whether it read the store, a snapshot or the changes', async (t) => {
  const early = await startReplica()
  const all = [someImage(16), someImage(3), someImage(0), withoutDetails(someImage(0)), someImage(16)]
  const gone = someImage(16)
  await early.reached(await images.put([...all, gone]))
  await early.reached((await images.erase(gone.id)) ?? 0)
  const fromStore = await startReplica()
  await fromStore.saveSnapshot()
  const fromSnapshot = await startReplica()

  t.equal(fullReads, 1, 'the first started empty, the third read its snapshot')
  for (const { catalogue } of [early, fromStore, fromSnapshot]) {
    t.equal(catalogue.index('detail').liveRows, 35)
    for (const image of all) t.same(foundIn(catalogue, image), expectedOf(image))
    t.same(foundIn(catalogue, gone), [])
  }
  const replaced = { ...someImage(2), id: all[0]?.id ?? '' }
  await fromSnapshot.reached(await images.put([replaced]))
  t.same(foundIn(fromSnapshot.catalogue, all[0] ?? replaced), [], 'replaced')
  t.same(foundIn(fromSnapshot.catalogue, replaced), expectedOf(replaced))
})

t.test('points are sealed, bound to their image, and erased with it', async (t) => {
  const [one, other] = [someImage(4), withoutDetails(someImage(0))]
  await images.put([one, other])
  t.same(await images.points([other.id, one.id]), [undefined, one.points])

  const sealed = await redis.hgetBuffer(...placeOf(one.id))
  t.ok(sealed !== null && sealed.length <= 5300, `${sealed?.length} bytes`)
  t.equal(sealed?.indexOf(Buffer.from(one.points?.points[0]?.hash ?? [1])), -1)
  await redis.hset(...placeOf(other.id), sealed ?? '')
  await t.rejects(images.points([other.id]), { name: 'SealError' }, 'moved to another image')

  await images.erase(one.id)
  t.equal(await redis.hexists(...placeOf(one.id)), 0)
  t.same(await images.points([one.id]), [undefined])
})

t.test('points of many images are read by few commands, in the requested order', async (t) => {
  const own = await openStore(target)
  t.teardown(() => own.close())
  const all = Array.from({ length: 45 }, (_, i) => (i % 9 === 4 ? withoutDetails(someImage(0)) : someImage(1)))
  await images.put(all)
  let commands = 0
  await own.ask(async (connection) => {
    const send = connection.sendCommand.bind(connection)
    connection.sendCommand = (...args) => {
      commands++
      return send(...args)
    }
  })

  const found = await createImageStore(own, keyring).points(all.map(({ id }) => id))

  t.same(
    found,
    all.map(({ points }) => points),
  )
  t.ok(commands <= 2, `${commands} commands for 45 images`)
})

t.test('the end of a case erases the details of its images', async (t) => {
  const cases = createCaseStore(store)
  await cases.add('c', { createdAtMs: 1, expiresAtMs: 2 ** 40, category: undefined, pin: 'p' })
  const [one, again] = [someImage(5), someImage(6)]
  await images.putForCase('c', [one], 2)
  await images.putForCase('c', [{ ...again, id: one.id }], 3)
  t.same(await images.points([one.id]), [one.points], 'the same picture again changes nothing')
  t.equal((await cases.get('c'))?.hashes, 2, 'its two signals; the number of details is in no receipt')

  await cases.end('c', 'withdrawn', 4)
  t.equal(await redis.hexists(...placeOf(one.id)), 0)
})

async function startReplica() {
  const reader = createImageReader(target, keyring)
  const replica = replicaOf(
    { store, target, keyring },
    {
      images,
      reader: {
        columns() {
          fullReads++
          return reader.columns()
        },
      },
      snapshots,
      onError: (error) => t.fail(String(error)),
    },
  )
  await replica.start()
  t.teardown(() => replica.close())
  return replica
}

function someImage(rows: number): StoredImage {
  const hash = () => hashFromBytes(randomBytes(32))
  const size = { width: 480, height: 2 * Math.ceil(Math.random() * 240) }
  const image: RegisteredImage = {
    bank: CASES_BANK_NAME,
    tier: 'self-reported',
    category: undefined,
    ref: undefined,
    createdAtMs: 1,
    signals: Array.from({ length: 2 }, () => ({ type: 'pdq', view: 'whole', quality: 90, hash: hash() }) as const),
    details: {
      ...size,
      subjectGroup: randomBytes(4).readUInt32BE(),
      rows: Array.from({ length: rows }, (_, i) => ({ place: (31 * i) % 256, pose: (7 * i) % 128, hash: hash() })),
    },
  }
  const points = Array.from({ length: 150 }, (_, i) => ({ column: i % 32, row: (5 * i) % 32, hash: hash() }))
  return { id: formatUuid(randomBytes(16)), image, points: { ...size, points } }
}

function withoutDetails({ id, image: { details: _, ...image } }: StoredImage): StoredImage {
  return { id, image }
}

/** Of each row that is found: its place, its pose, and what all rows of its picture share. */
function foundIn(catalogue: Catalogue, { id, image }: StoredImage) {
  return (image.details?.rows ?? []).flatMap(({ hash }) =>
    catalogue
      .index('detail')
      .within([hash], 0)
      .filter((hit) => catalogue.image(hit.image)?.id === id)
      .map(({ image: ordinal, view }) => ({
        ...catalogue.places.sizeOf(ordinal),
        subjectGroup: catalogue.places.subjectGroupOf(ordinal),
        ...catalogue.places.rowOf(ordinal, view),
      })),
  )
}

function expectedOf({ image: { details } }: StoredImage) {
  return (details?.rows ?? []).map(({ place, pose }) => {
    return { width: details?.width, height: details?.height, subjectGroup: details?.subjectGroup, place, pose }
  })
}

function placeOf(id: string): [string, Buffer] {
  const bytes = Buffer.from(id.replaceAll('-', ''), 'hex')
  return [keys.details(detailShard(bytes)), bytes]
}
