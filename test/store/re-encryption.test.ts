import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import t from 'tap'
import { formatUuid, uuidV7 } from '../../packages/core/src/ids.js'
import { hashFromBytes } from '../../packages/hash/src/hash256.js'
import { createFetchedStore } from '../../src/store/exchange/fetched.js'
import type { StoredImage } from '../../src/store/images/image-reads.js'
import { encodeImage } from '../../src/store/images/image-record.js'
import { createImageStore } from '../../src/store/images/images.js'
import { openStore, type Store } from '../../src/store/redis/client.js'
import { keys } from '../../src/store/redis/keys.js'
import { type Keyring, makeKeyring, SEALED } from '../../src/store/sealing/seal.js'
import { checkRing, forgetKey, noteActive, switchToActive } from '../../src/store/sealing/seal-ring.js'
import { loadSecrets } from '../../src/store/sealing/secrets.js'
import { createContextStore } from '../../src/store/trust/contexts.js'
import { census, reencryptAll } from '../../src/store/upkeep/re-encryption.js'
import { createWatchStore } from '../../src/store/watch/watches.js'
import { createWebhookStore, type Webhook } from '../../src/store/webhooks/webhooks.js'
import { startRedis, storeAt } from '../helpers/redis.js'
import { longestVideo } from './sample-images.js'

const [old, fresh] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]
const before = makeKeyring([old])
const during = makeKeyring([fresh, old])
const after = makeKeyring([fresh])
const refusal = { name: 'SealError' }
const server = await startRedis(t)
const store = await openStore(storeAt(server.socket))
const redis = new Redis(server.socket)
t.teardown(async () => {
  redis.disconnect()
  await store.close()
})
t.beforeEach(() => redis.flushall())

function imageNumber(i: number): StoredImage {
  const hash = hashFromBytes(randomBytes(32), 0)
  const image = { bank: 'mine', tier: 'self-reported', category: undefined, ref: `r${i}`, createdAtMs: i } as const
  return {
    id: uuidV7(i, randomBytes(10)),
    image: { ...image, signals: [{ type: 'pdq', view: 'whole', quality: 90, hash }] },
  }
}

const ORG_ID = uuidV7(1, randomBytes(10))
const WATCH = imageNumber(0)
const WEBHOOK: Webhook = {
  webhookId: 'w1',
  orgId: 'org',
  url: 'https://hooks.example/',
  events: [],
  isEnabled: true,
  maxPerSecond: 1,
  secrets: [],
  createdAtMs: 1,
}

/** Stores secrets, images, contexts, a watch and a webhook under one key. */
async function filled(keyring: Keyring, count: number): Promise<StoredImage[]> {
  await loadSecrets(store, keyring)
  await noteActive(store, keyring)
  const stored = Array.from({ length: count }, (_, i) => imageNumber(i))
  await createImageStore(store, keyring).put(stored)
  await createWebhookStore(store, keyring).add(WEBHOOK)
  await createWatchStore(store, keyring).put(ORG_ID, [WATCH], Date.now() + 60_000, 10)
  await fetchedAndWithdrawn(keyring, stored[0])
  await createContextStore(store, keyring, Buffer.alloc(32)).note('org', 'a group', [stored[0]?.id ?? ''], Date.now())
  return stored
}

/** Records fetched hashes: of a stored image and of one that is then erased. */
async function fetchedAndWithdrawn(keyring: Keyring, there: StoredImage | undefined): Promise<void> {
  const gone = imageNumber(0)
  const images = createImageStore(store, keyring)
  await images.put([gone])
  await redis.hset(keys.apiKeys, 'k1', '{}')
  const fetched = [gone, there]
    .flatMap((stored) => stored ?? [])
    .map(({ id, image: { signals } }) => ({
      imageId: id,
      hashes: signals.map(({ hash }) => ({ type: 'pdq', hash }) as const),
      isComplete: true,
    }))
  await createFetchedStore(store, keyring).note('k1', fetched)
  await images.erase(gone.id)
}

async function readable(keyring: Keyring): Promise<Map<string, unknown>> {
  const found = new Map<string, unknown>()
  for (const key of await redis.keys(keys.imagesPattern)) {
    const ids = await redis.hkeysBuffer(key)
    const images = await createImageStore(store, keyring).get(ids.map(formatUuid))
    for (const [i, id] of ids.entries()) found.set(formatUuid(id), images[i])
  }
  return found
}

/** Keys of all values that look sealed under the active key, by their hint. */
async function sealedAnywhere({ active }: Keyring): Promise<string[]> {
  const found: string[] = []
  for (const key of await redis.keys('*')) {
    const type = await redis.type(key)
    const values = type === 'hash' ? await redis.hvalsBuffer(key) : type === 'string' ? [await redis.getBuffer(key)] : []
    const isUnder = (value: Buffer | null) => value?.[0] === SEALED.version && value[SEALED.hintAt] === active.hint
    if (values.some((value) => isUnder(value) && (value?.length ?? 0) >= SEALED.minBytes)) found.push(key)
  }
  return found
}

t.test('re-encryption covers every record during concurrent writes, and loses and restores nothing', async (t) => {
  const stored = await filled(before, 600)
  const secrets = await loadSecrets(store, before)
  const images = createImageStore(store, during)
  const expected = new Map(stored.map(({ id, image }) => [id, image]))
  let meddled = 0

  async function meddle(id: string) {
    meddled++
    // A record that is erased between reading and writing must stay erased; a new record is under the new key.
    await images.erase(id)
    expected.delete(id)
    const added = imageNumber(1000 + meddled)
    await images.put([added])
    expected.set(added.id, added.image)
  }
  const meddling: Store = {
    ...store,
    async write(script, scriptKeys, args) {
      const [id] = args
      if (Buffer.isBuffer(id) && id.length === 16 && meddled < 100) await meddle(formatUuid(id))
      return store.write(script, scriptKeys, args)
    },
  }

  const { reencrypted } = await reencryptAll(meddling, during, () => {})

  t.equal(meddled, 100, 'concurrent writes happened')
  t.ok(reencrypted >= 500, `${reencrypted}`)
  t.same(await readable(after), expected)
  const [withdrawn] = await redis.keys(keys.withdrawnHashPattern)
  t.ok((await redis.pttl(withdrawn ?? '')) > 0, 'expiry times are kept')
  t.match(await createFetchedStore(store, after).withdrawn('k1', 0, 10), [{ hash: { type: 'pdq', hash: Uint8Array } }])
  t.same(await loadSecrets(store, after), secrets)
  t.match(await createContextStore(store, after, Buffer.alloc(32)).counts('org', Date.now()), [{ context: 'a group' }])
  t.same((await createWebhookStore(store, after).readable()).webhooks, [WEBHOOK])
  t.same(await createWatchStore(store, after).get([WATCH.id]), [WATCH.image])
  t.same(await sealedAnywhere(before), [], 'nothing in all of Redis is under the old key')
  t.same(Object.keys((await census(store, during))['images'] ?? {}), [during.active.fingerprint])
})

t.test('after an interruption every record opens with one of the keys, and the next run finishes', async (t) => {
  const stored = await filled(before, 300)
  const expected = new Map(stored.map(({ id, image }) => [id, image]))
  let writes = 0
  const dying: Store = {
    ...store,
    async write(script, scriptKeys, args) {
      if (++writes === 100) throw new Error('killed')
      return store.write(script, scriptKeys, args)
    },
  }

  await t.rejects(
    reencryptAll(dying, during, () => {}),
    { message: 'killed' },
  )
  t.same(await readable(during), expected)
  await t.rejects(readable(after), refusal, 'not all records are under the new key')
  await t.rejects(readable(before), refusal, 'not all records are under the old key')

  const { checked, reencrypted } = await reencryptAll(store, during, () => {})
  t.ok(reencrypted > 100 && reencrypted < checked, `${reencrypted} of ${checked}`)
  t.same(await readable(after), expected)
  t.equal((await reencryptAll(store, during, () => {})).reencrypted, 0)
})

t.test('long videos of one shard are rewritten a few at a time', async (t) => {
  const images = createImageStore(store, before)
  const videos = [0, 1, 2, 3, 4, 5, 6, 7].map((seed) => {
    const id = randomBytes(16).fill(3, 12)
    return { id: formatUuid(id), image: longestVideo(seed) }
  })
  for (const video of videos) await images.put([video])
  t.equal((await redis.keys(keys.imagesPattern)).length, 1)
  const sizes: number[] = []
  const watched: Store = {
    ...store,
    write(script, scriptKeys, args) {
      sizes.push(args.reduce<number>((sum, arg) => sum + (Buffer.isBuffer(arg) ? arg.length : 0), 0))
      return store.write(script, scriptKeys, args)
    },
  }
  t.equal((await reencryptAll(watched, during, () => {})).reencrypted, videos.length)
  t.same(sizes.length, 3)
  t.ok(sizes.every((bytes) => bytes < 6 << 20))
  const read = await createImageStore(store, after).get(videos.map(({ id }) => id))
  t.ok(read.every((image, i) => image && encodeImage(image).equals(encodeImage(videos[i]?.image ?? image))))
})

t.test('a start with a ring that lacks a key in use is refused with a message and changes nothing', async (t) => {
  await filled(before, 10)
  await switchToActive(store, during, 1)
  const untouched = await dump()

  for (const ring of [after, before, makeKeyring([Buffer.alloc(32, 3)])]) {
    await t.rejects(checkRing(store, ring), { ...refusal, message: /not in the ring.*Nothing was changed/ })
  }
  t.same(await dump(), untouched)
  await checkRing(store, during)
  await reencryptAll(store, during, () => {})
  await forgetKey(store, before.active.fingerprint, 2)
  await checkRing(store, after)
  await t.rejects(checkRing(store, before), refusal)
})

t.test('a damaged record stops re-encryption and stays as it is', async (t) => {
  await filled(before, 5)
  const [key = ''] = await redis.keys(keys.imagesPattern)
  const [id = Buffer.alloc(16)] = await redis.hkeysBuffer(key)
  await redis.hset(key, id, before.seal(randomBytes(20), Buffer.from('another place')))
  const untouched = await redis.hgetallBuffer(key)

  await t.rejects(
    reencryptAll(store, during, () => {}),
    refusal,
  )
  t.same(await redis.hgetallBuffer(key), untouched)
})

async function dump(): Promise<Map<string, Buffer | null>> {
  const all = new Map<string, Buffer | null>()
  for (const key of (await redis.keys('*')).sort()) all.set(key, await redis.dumpBuffer(key))
  return all
}

// Code that seals something new under the ring needs a row in the table of re-encryption.ts, and then a line here.
t.test('every use of keyring.seal in the sources is known to re-encryption', async (t) => {
  const sources = fileURLToPath(new URL('../../../src/', import.meta.url))
  const found = readdirSync(sources, { recursive: true, encoding: 'utf8' }).flatMap((name) => {
    const calls = name.endsWith('.ts') ? readFileSync(join(sources, name), 'utf8').match(/keyring\.seal\(/g) : null
    return calls === null ? [] : [[name, calls.length]]
  })
  const known = {
    'store/trust/contexts.ts': 1, // contexts
    'store/exchange/fetched-record.ts': 2, // fetched hashes, and withdrawn ones of them
    'store/images/images.ts': 2, // images and details
    'store/sealing/secrets.ts': 1, // secrets
    'store/watch/watches.ts': 1, // watches
    'store/webhooks/webhooks.ts': 1, // webhooks
    'store/upkeep/re-encryption.ts': 1, // all of these
    'store/sealing/sealed-file.ts': 1, // snapshots, which are rewritten
  }
  t.same(Object.fromEntries(found), known)
})
