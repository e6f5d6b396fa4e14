import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { NO_TRUST } from '../../src/domain/trust/trust.js'
import { Catalogue } from '../../src/services/index/catalogue.js'
import { lastPosition } from '../../src/store/images/changes.js'
import type { Store } from '../../src/store/redis/client.js'
import { keys } from '../../src/store/redis/keys.js'
import { makeKeyring } from '../../src/store/sealing/seal.js'
import { createTrustStore } from '../../src/store/trust/trust.js'
import { startRedis } from '../helpers/redis.js'
import { isFound, openParts, someImage, someVideo } from './snapshot-parts.js'

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

t.test('a snapshot has all frames of a video, and later changes apply to all of them', async (t) => {
  const { store, images, startReplica, reads } = await openParts(t, await startRedis(t), t.testdir())
  const [kept, erased, held] = [someVideo(), someVideo(), someVideo()]
  const all = [kept, erased, held]
  await images.put(all.flatMap(([video]) => video ?? []))
  const first = await startReplica()
  await first.saveSnapshot()
  await first.close()
  await images.erase(erased[0]?.id ?? '')
  const silent = { support: 0, disputed: false, matches: false, narrowed: false, stoppedViews: [], harmless: false }
  await createTrustStore(store).put(held[0]?.id ?? '', 0, NO_TRUST, silent)
  const second = await startReplica()
  t.teardown(() => second.close())
  await second.reached(3)
  t.equal(reads.full, 1, 'not everything was read again')
  const { catalogue } = second
  t.same(
    all.map((frames) => frames.map((frame) => isFound(catalogue, frame))),
    [
      [true, true, true],
      [false, false, false],
      [false, false, false],
    ],
  )
  const moments = kept.map(({ hash }) => catalogue.index('pdq').within([hash], 0)[0]?.image ?? 0)
  t.same(
    moments.map((ordinal) => catalogue.frameOf(ordinal)?.atMs),
    [0, 2000, 4000],
  )
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
