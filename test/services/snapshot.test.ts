import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { type Hash256, hashFromBytes } from '../../packages/hash/src/hash256.js'
import { uuidV7 } from '../../src/domain/ids.js'
import type { RegisteredImage } from '../../src/domain/matching/signal.js'
import { CASES_BANK_NAME } from '../../src/domain/organisations/bank.js'
import { Catalogue } from '../../src/services/index/catalogue.js'
import { Replica } from '../../src/services/index/replica.js'
import { createSnapshots } from '../../src/services/index/snapshot.js'
import { lastPosition } from '../../src/store/images/changes.js'
import { createImageStore } from '../../src/store/images/images.js'
import { createImageReader } from '../../src/store/images/reader/image-reader.js'
import { createApiKeyStore } from '../../src/store/organisations/api-keys.js'
import { createBankStore } from '../../src/store/organisations/banks.js'
import { connectForFollowing, openStore, type Store } from '../../src/store/redis/client.js'
import { keys } from '../../src/store/redis/keys.js'
import { makeKeyring } from '../../src/store/sealing/seal.js'
import { createTrustStore } from '../../src/store/trust/trust.js'
import { startRedis, storeAt, type TestRedis } from '../helpers/redis.js'
import { PATIENT } from '../helpers/service.js'

const keyring = makeKeyring([Buffer.alloc(32, 7)])
const secret = Buffer.alloc(32, 9)

interface Registered {
  readonly id: string
  readonly image: RegisteredImage
  readonly hash: Hash256
}

let drawn = Buffer.alloc(0)

/** Drawn in large pieces: hundreds of thousands of small draws took longer than the tested code. */
function someBytes(count: number): Buffer {
  if (drawn.length < count) drawn = randomBytes(1 << 16)
  const some = drawn.subarray(0, count)
  drawn = drawn.subarray(count)
  return some
}

function someImage(): Registered {
  const hash = hashFromBytes(someBytes(32))
  const image: RegisteredImage = {
    bank: CASES_BANK_NAME,
    tier: 'ngo-attested',
    category: 'nude',
    ref: undefined,
    createdAtMs: 1,
    signals: [
      { type: 'pdq', view: 'whole', quality: 100, hash },
      { type: 'blockhash', view: 'whole', quality: 100, hash: hashFromBytes(someBytes(32)) },
    ],
  }
  return { id: uuidV7(Date.now(), someBytes(10)), image, hash }
}

async function openParts(t: Test, { socket }: TestRedis, folder: string) {
  const target = storeAt(socket)
  const store = await openStore(target)
  t.teardown(() => store.close())
  const redis = new Redis(socket)
  t.teardown(() => redis.disconnect())
  const clock = () => performance.now()
  const snapshotsWith = (options: { secret?: Buffer; keyring?: typeof keyring; store?: Store } = {}) =>
    createSnapshots({ folder, store, keyring, secret, clock, ...options })
  const reader = createImageReader(target, keyring)
  const reads = { full: 0 }
  const startReplica = async () => {
    const replica = new Replica({
      store,
      images: createImageStore(store, keyring),
      reader: {
        columns() {
          reads.full++
          return reader.columns()
        },
      },
      snapshots: snapshotsWith(),
      withdrawals: undefined,
      trusts: createTrustStore(store),
      banks: createBankStore(store),
      apiKeys: createApiKeyStore(store),
      follower: connectForFollowing(target),
      freshness: PATIENT,
      now: clock,
      onError: (error) => t.fail(String(error)),
    })
    await replica.start()
    return replica
  }
  return { store, redis, images: createImageStore(store, keyring), snapshotsWith, startReplica, reads }
}

function isFound(catalogue: Catalogue, { id, hash, image }: Registered): boolean {
  const hits = catalogue.index('pdq').within([hash], 0)
  return hits.some(({ image: ordinal }) => {
    const found = catalogue.image(ordinal)
    return found?.id === id && found.bank === image.bank && found.tier === image.tier && found.category === image.category
  })
}

t.test('a replica that restarts reads its snapshot, then the changes since', async (t) => {
  const folder = t.testdir()
  const { images, startReplica, reads } = await openParts(t, await startRedis(t), folder)
  const [kept, erased, replaced, late] = [someImage(), someImage(), someImage(), someImage()]
  await images.put([kept, erased, replaced])
  const first = await startReplica()
  await first.saveSnapshot()
  await first.close()
  t.equal(reads.full, 1)

  await images.erase(erased.id)
  const renewed = { ...someImage(), id: replaced.id }
  await images.put([renewed])
  const revision = await images.put([late])
  const second = await startReplica()
  t.teardown(() => second.close())
  await second.reached(revision)

  t.equal(reads.full, 1, 'not everything was read again')
  const { catalogue } = second
  t.same(
    [kept, late, renewed].map((image) => isFound(catalogue, image)),
    [true, true, true],
  )
  t.same(
    [erased, replaced].map((image) => isFound(catalogue, image)),
    [false, false],
  )
  t.equal(catalogue.images, 3)
  t.equal(catalogue.index('blockhash').liveRows, 3)
})

t.test('an unchanged catalogue is not written again, and no hash or id is readable in the file', async (t) => {
  const folder = t.testdir()
  const { images, startReplica } = await openParts(t, await startRedis(t), folder)
  const image = someImage()
  await images.put([image])
  const replica = await startReplica()
  t.teardown(() => replica.close())
  await replica.saveSnapshot()
  const path = join(folder, 'index.snapshot')
  const written = readFileSync(path)
  t.notOk(written.includes(Buffer.from(image.hash)))
  t.notOk(written.includes(image.id.replaceAll('-', ''), 'hex'))
  await replica.saveSnapshot()
  t.same(readFileSync(path), written)

  const revision = await images.erase(image.id)
  await replica.reached(revision ?? 0)
  await replica.saveSnapshot()
  t.notSame(readFileSync(path), written)
})

t.test('a snapshot that is damaged, of another deployment or of another key is ignored', async (t) => {
  const folder = t.testdir()
  const { images, startReplica, snapshotsWith } = await openParts(t, await startRedis(t), folder)
  await images.put([someImage()])
  const replica = await startReplica()
  t.teardown(() => replica.close())
  t.equal(await snapshotsWith().load(), undefined, 'there is none yet')
  await replica.saveSnapshot()
  t.ok(await snapshotsWith().load())

  t.equal(await snapshotsWith({ secret: Buffer.alloc(32, 1) }).load(), undefined)
  t.equal(await snapshotsWith({ keyring: makeKeyring([Buffer.alloc(32, 1)]) }).load(), undefined)
  const path = join(folder, 'index.snapshot')
  const whole = readFileSync(path)
  writeFileSync(path, whole.subarray(0, whole.length - 100))
  t.equal(await snapshotsWith().load(), undefined)
  whole[whole.length - 200] = (whole[whole.length - 200] ?? 0) ^ 1
  writeFileSync(path, whole)
  t.equal(await snapshotsWith().load(), undefined)
  writeFileSync(path, '')
  t.equal(await snapshotsWith().load(), undefined)
})

t.test('a store that becomes unavailable while a snapshot is read leaves no file open', async (t) => {
  const folder = t.testdir()
  const { images, startReplica, snapshotsWith, store } = await openParts(t, await startRedis(t), folder)
  await images.put([someImage()])
  const replica = await startReplica()
  t.teardown(() => replica.close())
  await replica.saveSnapshot()
  const away: Store = { ...store, ask: () => Promise.reject(new Error('away')) }
  await t.rejects(snapshotsWith({ store: away }).load(), /away/)
  t.same(openFiles('index.snapshot'), [])
})

t.test('a snapshot of a history that the store does not have, or has trimmed, is not used', async (t) => {
  const folder = t.testdir()
  const { images, startReplica, snapshotsWith, redis, reads } = await openParts(t, await startRedis(t), folder)
  const [before, lost, instead] = [someImage(), someImage(), someImage()]
  await images.put([before])
  await images.put([lost])
  const replica = await startReplica()
  await replica.saveSnapshot()
  await replica.close()

  // The store goes back to its first revision and continues differently.
  await images.erase(lost.id)
  await redis.del(keys.changes)
  await redis.set(keys.revision, 1)
  await images.put([instead])
  t.equal(await snapshotsWith().load(), undefined, 'the same revision of another history')
  const again = await startReplica()
  t.teardown(() => again.close())
  t.equal(reads.full, 2)
  t.same(
    [before, lost, instead].map((image) => isFound(again.catalogue, image)),
    [true, false, true],
  )

  await again.saveSnapshot()
  t.ok(await snapshotsWith().load())
  await redis.xtrim(keys.changes, 'MAXLEN', 0)
  t.equal(await snapshotsWith().load(), undefined, 'trimmed')
  await images.put([someImage()])
  const [untouched] = readdirSync(folder)
  t.equal(untouched, 'index.snapshot')
})

t.test('a catalogue with segments, dead rows and a head is the same after a snapshot', async (t) => {
  const folder = t.testdir()
  const { store, images, snapshotsWith } = await openParts(t, await startRedis(t), folder)
  await images.put([someImage()])
  const position = await lastPosition(store)
  const catalogue = new Catalogue()
  const all = Array.from({ length: 70_000 }, someImage)
  for (const { id, image } of all) catalogue.put(id, image)
  while (catalogue.tidy());
  const removed = all.filter((_, i) => i % 1_000 === 0)
  for (const { id } of removed) catalogue.remove(id)
  const more = Array.from({ length: 500 }, someImage)
  for (const { id, image } of more) catalogue.put(id, image)

  const saving = snapshotsWith().save(catalogue, position)
  const meanwhile = someImage()
  catalogue.put(meanwhile.id, meanwhile.image)
  await saving
  const snapshot = await snapshotsWith().load()
  t.same(snapshot?.position, position)
  const restored = snapshot?.catalogue ?? new Catalogue()
  t.equal(restored.index('pdq').liveRows, restored.index('pdq').rows, 'no dead row was saved')
  t.ok(restored.images === catalogue.images || restored.images === catalogue.images - 1)
  const gone = new Set(removed)
  t.ok(
    [...all.filter((_, i) => i % 50 === 0), ...more].every((image) => isFound(restored, image) === !gone.has(image)),
    'exactly the live images are found',
  )
  const next = someImage()
  restored.put(next.id, next.image)
  t.ok(isFound(restored, next), 'it takes new images')
  while (restored.tidy());
  t.ok(isFound(restored, next))
  t.ok(existsSync(join(folder, 'index.snapshot')))
  await store.close()
})

t.test('a catalogue of which most images are gone is not saved, so that the next start reads the store', async (t) => {
  const folder = t.testdir()
  const { store, images, snapshotsWith } = await openParts(t, await startRedis(t), folder)
  await images.put([someImage()])
  const position = await lastPosition(store)
  const catalogue = new Catalogue()
  const all = Array.from({ length: 66_000 }, someImage)
  for (const { id, image } of all) catalogue.put(id, image)
  const passing = all[0]?.id ?? ''
  await snapshotsWith().save(catalogue, position)
  t.ok(existsSync(join(folder, 'index.snapshot')))

  for (let n = 0; n < 66_000; n++) catalogue.put(passing, someImage().image)
  t.notOk(catalogue.isSparse, 'half of the ordinals are still in use')
  for (let n = 0; n < 66_000; n++) catalogue.put(passing, someImage().image)
  t.ok(catalogue.isSparse)
  await snapshotsWith().save(catalogue, position)
  t.same(readdirSync(folder), [])
})

/** Where the system lists open files. */
function openFiles(name: string): string[] {
  const all = existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd') : []
  return all.map((fd) => linkOf(`/proc/self/fd/${fd}`)).filter((path) => path.endsWith(name))
}

/** The file that was opened for the list itself is gone. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}
