import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { hashFromBytes } from '../../packages/hash/src/hash256.js'
import { uuidV7 } from '../../src/domain/ids.js'
import type { RegisteredImage } from '../../src/domain/matching/signal.js'
import { DEFAULT_FRESHNESS, type ReplicaFreshness } from '../../src/services/index/readiness.js'
import { Replica } from '../../src/services/index/replica.js'
import { follow, ORIGIN } from '../../src/store/images/changes.js'
import { createImageStore, MAX_PER_CASE } from '../../src/store/images/images.js'
import { createOwnWrites, type OwnWrites } from '../../src/store/images/read-your-writes.js'
import { createImageReader } from '../../src/store/images/reader/image-reader.js'
import { createApiKeyStore } from '../../src/store/organisations/api-keys.js'
import { createBankStore } from '../../src/store/organisations/banks.js'
import { connectForFollowing, openStore } from '../../src/store/redis/client.js'
import { imageShard, keys } from '../../src/store/redis/keys.js'
import { makeKeyring } from '../../src/store/sealing/seal.js'
import { createTrustStore } from '../../src/store/trust/trust.js'
import type { WithdrawalLog } from '../../src/store/upkeep/withdrawal-log.js'
import { startRedis, type TestRedis } from '../helpers/redis.js'
import { imageOf } from '../helpers/registered-image.js'
import { PATIENT, until } from '../helpers/service.js'

async function openParts(t: Test, { socket }: TestRedis) {
  const target = { url: undefined, socket }
  const store = await openStore(target)
  t.teardown(() => store.close())
  const keyring = makeKeyring([Buffer.alloc(32, 7)])
  const images = createImageStore(store, keyring)
  /** That of a process which remembers what it writes. */
  const imagesOf = (own: OwnWrites) => createImageStore(store, keyring, MAX_PER_CASE, own)
  const replicaWith = (
    freshness: ReplicaFreshness = PATIENT,
    clock: () => number = () => performance.now(),
    { withdrawals, get = images.get, own }: { withdrawals?: WithdrawalLog; get?: typeof images.get; own?: OwnWrites } = {},
  ) => {
    const parts = {
      store,
      images: { ...images, get },
      reader: createImageReader(target, keyring),
      snapshots: undefined,
      withdrawals,
      trusts: createTrustStore(store),
      banks: createBankStore(store),
      apiKeys: createApiKeyStore(store),
    }
    const replica = new Replica({
      ...parts,
      ...(own !== undefined && { own }),
      follower: connectForFollowing(target),
      freshness,
      now: clock,
      onError: (error) => t.fail(String(error)),
    })
    t.teardown(() => replica.close())
    return replica
  }
  const redis = new Redis(socket)
  t.teardown(() => redis.disconnect())
  return { images, imagesOf, replicaWith, redis }
}

function randomImage(): { id: string; image: RegisteredImage } {
  return { id: uuidV7(Date.now(), randomBytes(10)), image: imageOf(hashFromBytes(randomBytes(32))) }
}

/** Ids of the images that a replica finds by their own hash. */
function found(replica: Replica, all: readonly { id: string; image: RegisteredImage }[]): string[] {
  const { catalogue } = replica
  return all.flatMap(({ id, image }) => {
    const hits = catalogue.index('pdq').within(
      [...image.signals].map(({ hash }) => hash),
      0,
    )
    return hits.some((hit) => catalogue.image(hit.image)?.id === id) ? [id] : []
  })
}

t.test('replicas agree with a map, whatever is put, replaced, erased, and whenever they start', async (t) => {
  const { images: others, imagesOf, replicaWith } = await openParts(t, await startRedis(t))
  const own = createOwnWrites()
  const early = replicaWith(PATIENT, () => performance.now(), { own })
  await early.start()
  const writers = [others, imagesOf(own)] as const
  const model = new Map<string, { id: string; image: RegisteredImage }>()
  const everything: { id: string; image: RegisteredImage }[] = []
  const replicas = [early]
  let revision = 0

  for (let step = 0; step < 400; step++) {
    const images = writers[step % 5 < 2 ? 0 : 1]
    const known = [...model.values()]
    const chosen = known[Math.floor(Math.random() * known.length)]
    if (chosen === undefined || step % 3 !== 0) {
      const added = Array.from({ length: 1 + (step % 4) }, randomImage)
      revision = await images.put(added)
      for (const image of added) model.set(image.id, image)
      everything.push(...added)
    } else if (step % 2 === 0) {
      revision = (await images.erase(chosen.id)) ?? revision
      model.delete(chosen.id)
    } else {
      const replaced = { id: chosen.id, image: randomImage().image }
      revision = await images.put([replaced])
      model.set(chosen.id, replaced)
      everything.push(replaced)
    }
    if (step % 150 === 75) {
      const late = replicaWith()
      replicas.push(late)
      await late.start()
    }
  }

  for (const replica of replicas) {
    await replica.reached(revision)
    t.same(found(replica, [...model.values()]).sort(), [...model.keys()].sort())
    const gone = everything.filter((image) => model.get(image.id) !== image)
    t.same(found(replica, gone), [], 'nothing erased or replaced is found')
    t.equal(replica.catalogue.images, model.size)
  }
})

t.test('a stream that was trimmed behind a replica leads to a full re-read, not to a hole', async (t) => {
  const { images, replicaWith, redis } = await openParts(t, await startRedis(t))
  const first = randomImage()
  await images.put([first])
  const replica = replicaWith()
  await replica.start()

  // While the replica is not looking: an erasure and an addition, whose changes are gone from the stream.
  const second = randomImage()
  await redis
    .multi()
    .hdel(...shardAndId(first.id))
    .incrby(keys.revision, 5)
    .exec()
  const revision = await images.put([second])
  await redis.xtrim(keys.changes, 'MAXLEN', 1)

  await replica.reached(revision)
  t.same(found(replica, [first, second]), [second.id])
})

t.test('a store that went back to an older state is read anew', async (t) => {
  const { images, replicaWith, redis } = await openParts(t, await startRedis(t))
  const lost = randomImage()
  await images.put([lost])
  const replica = replicaWith()
  await replica.start()
  t.same(found(replica, [lost]), [lost.id])

  await redis.flushall()
  await until(() => replica.isReady && replica.catalogue.images === 0)

  const later = randomImage()
  await replica.reached(await images.put([later]))
  t.same(found(replica, [lost, later]), [later.id])
})

t.test('a replica that has not heard from the store for a second does not answer', async (t) => {
  let nowMs = 0
  const { replicaWith } = await openParts(t, await startRedis(t))
  const replica = replicaWith(DEFAULT_FRESHNESS, () => nowMs)
  t.throws(() => replica.catalogue, { code: 'index-loading' })
  await replica.start()
  t.ok(replica.catalogue)

  nowMs += 1001
  t.throws(() => replica.catalogue, { code: 'store-unavailable' })
  await until(() => replica.isReady)
})

t.test('whoever comes after this process stood still waits for the store to be heard, and is not refused', async (t) => {
  let nowMs = 0
  const { replicaWith } = await openParts(t, await startRedis(t))
  const replica = replicaWith({ ...DEFAULT_FRESHNESS, graceMs: 60_000 }, () => nowMs)
  await replica.start()
  t.equal(replica.waitUntilFresh(), undefined, 'nothing to wait for')

  nowMs += 1200
  t.throws(() => replica.catalogue, { code: 'store-unavailable' })
  await replica.waitUntilFresh()
  t.ok(replica.catalogue)
  t.equal(replica.waitUntilFresh(), undefined)
})

t.test('while the store is unavailable the first who come wait for a moment in vain, and nobody after them', async (t) => {
  const { replicaWith, redis } = await openParts(t, await startRedis(t))
  const replica = replicaWith(DEFAULT_FRESHNESS)
  await replica.start()
  const pid = Number(/^process_id:(\d+)/m.exec(await redis.info('server'))?.[1])
  for (let silence = 0; silence < 2; silence++) {
    process.kill(pid, 'SIGSTOP')
    await until(() => !replica.isReady)
    const first = replica.waitUntilFresh()
    t.type(first, Promise)
    t.equal(replica.waitUntilFresh(), first, 'the same for all')
    await first
    t.throws(() => replica.catalogue, { code: 'store-unavailable' })
    t.equal(replica.waitUntilFresh(), undefined, 'once a silence')
    process.kill(pid, 'SIGCONT')
    await until(() => replica.isReady)
  }
})

function shardAndId(id: string): [string, Buffer] {
  const bytes = Buffer.from(id.replaceAll('-', ''), 'hex')
  return [keys.images(imageShard(bytes)), bytes]
}

t.test('what the store answers counts as old as the question, however long it was under way', async (t) => {
  const testRedis = await startRedis(t)
  const { images, redis } = await openParts(t, testRedis)
  const follower = connectForFollowing({ url: undefined, socket: testRedis.socket })
  t.teardown(() => follower.disconnect())
  let nowMs = 1000
  const following = follow(follower, ORIGIN, 2500, () => nowMs)
  await until(async () => /^blocked_clients:1\r?$/m.test(await redis.info('clients')))
  nowMs = 5000 // the process stood still, or the line did
  await images.put([randomImage()])

  t.match(await following, { kind: 'changes', changes: [{ revision: 1 }], caughtUpAtMs: 1000 })
})

t.test('what is noted of a withdrawal is waited for by who withdraws, and holds up nothing that is matched', async (t) => {
  const { images, replicaWith } = await openParts(t, await startRedis(t))
  const noted: number[][] = []
  const onDisk: (() => void)[] = []
  const withdrawals: WithdrawalLog = {
    begin: async () => {},
    async note(changes) {
      if (!changes.some(({ op }) => op === 'tombstone')) return
      noted.push(changes.map(({ revision }) => revision))
      await new Promise<void>((resolve) => onDisk.push(resolve))
    },
    close: async () => {},
  }
  const replica = replicaWith(PATIENT, () => performance.now(), { withdrawals })
  await replica.start()
  const [first, second, third] = [randomImage(), randomImage(), randomImage()]
  await replica.reached(await images.put([first, second]))
  const isAnswered = [false, false]
  const withdraw = async (at: number, id: string) => {
    const revision = (await images.erase(id)) ?? 0
    const answered = replica.reached(revision).then(() => {
      isAnswered[at] = true
    })
    return { revision, answered }
  }

  const one = await withdraw(0, first.id)
  await until(() => noted.length === 1)
  const two = await withdraw(1, second.id)
  const put = await images.put([third])
  await until(() => replica.revision === put)

  t.same(found(replica, [first, second, third]), [third.id], 'what came behind it is applied')
  t.same(noted, [[one.revision]], 'one is noted at a time')
  t.same(isAnswered, [false, false])
  onDisk.shift()?.()
  await one.answered
  await until(() => noted.length === 2)
  t.same(noted[1], [two.revision, put], 'and all that came meanwhile together')
  t.same(isAnswered, [true, false])
  onDisk.shift()?.()
  await Promise.all([two.answered, replica.reached(put)])
})

t.test('what comes next is asked for while what came is being applied', async (t) => {
  const { images, replicaWith, redis } = await openParts(t, await startRedis(t))
  const held: (() => void)[] = []
  let isHeld = false
  const replica = replicaWith(PATIENT, () => performance.now(), {
    async get(ids) {
      if (isHeld) await new Promise<void>((resolve) => held.push(resolve))
      return images.get(ids)
    },
  })
  await replica.start()
  const all = [randomImage(), randomImage()]
  await replica.reached(await images.put(all))
  const asked: string[] = []
  const monitor = await redis.monitor()
  t.teardown(() => monitor.disconnect())
  monitor.on('monitor', (_, [command, ...args]: string[]) => {
    if (command?.toLowerCase() === 'xread') asked.push(args.at(-1) ?? '')
  })

  const before = replica.revision ?? 0
  const more = [randomImage(), randomImage()]
  isHeld = true
  await images.put(more.slice(0, 1))
  await until(() => held.length === 1)
  await until(() => asked.includes(`${before + 1}-0`))
  t.equal(replica.revision, before, 'not applied yet')
  isHeld = false
  await images.put(more.slice(1))
  for (const go of held) go()
  await replica.reached(before + 2)

  t.same(found(replica, [...all, ...more]).length, 4)
})

t.test('what its own process wrote is not asked for, and what another wrote is', async (t) => {
  const { images: others, imagesOf, replicaWith } = await openParts(t, await startRedis(t))
  const own = createOwnWrites()
  const images = imagesOf(own)
  const asked: string[] = []
  const replica = replicaWith(PATIENT, () => performance.now(), {
    own,
    get(ids) {
      asked.push(...ids)
      return others.get(ids)
    },
  })
  await replica.start()
  const [mine, theirs] = [randomImage(), randomImage()]

  await replica.reached(await images.put([mine]))
  t.same(found(replica, [mine]), [mine.id])
  t.same(asked, [])
  await replica.reached(await others.put([theirs]))
  t.same(found(replica, [mine, theirs]), [mine.id, theirs.id])
  t.same(asked, [theirs.id])
  const anew = { id: mine.id, image: randomImage().image }
  await replica.reached(await others.put([anew]))
  t.same(found(replica, [mine]), [])
  t.same(found(replica, [anew]), [mine.id])
})

t.test('of what was written and taken back before a replica heard of it, nothing is found', async (t) => {
  const { images: others, imagesOf, replicaWith } = await openParts(t, await startRedis(t))
  const own = createOwnWrites()
  const images = imagesOf(own)
  const held: (() => void)[] = []
  const replica = replicaWith(PATIENT, () => performance.now(), {
    own,
    async get(ids) {
      await new Promise<void>((resolve) => held.push(resolve))
      return others.get(ids)
    },
  })
  await replica.start()
  const [gone, replaced, theirs] = [randomImage(), randomImage(), randomImage()]
  await others.put([theirs])
  await until(() => held.length === 1)
  await others.put([randomImage()]) // is asked for already; what follows is heard of at once
  await images.put([gone, replaced])
  const replacement = { id: replaced.id, image: randomImage().image }
  await others.put([replacement])
  const last = (await others.erase(gone.id)) ?? 0
  const foundMeanwhile: string[][] = []
  replica.watch(() => foundMeanwhile.push(found(replica, [gone, replaced])))
  const everythingRead = setInterval(() => {
    for (const go of held) go()
  }, 1)
  t.teardown(() => clearInterval(everythingRead))
  await replica.reached(last)

  t.same(found(replica, [gone, replaced, replacement, theirs]), [replaced.id, theirs.id])
  t.same(foundMeanwhile.flat(), [])
})

t.test('whoever takes nothing back does not wait until what others take back is noted', async (t) => {
  const { images, replicaWith } = await openParts(t, await startRedis(t))
  let isNoting = false
  const onDisk: (() => void)[] = []
  const withdrawals: WithdrawalLog = {
    begin: async () => {},
    async note(changes) {
      if (!changes.some(({ op }) => op === 'tombstone')) return
      isNoting = true
      await new Promise<void>((resolve) => onDisk.push(resolve))
    },
    close: async () => {},
  }
  const replica = replicaWith(PATIENT, () => performance.now(), { withdrawals })
  await replica.start()
  const [theirs, mine] = [randomImage(), randomImage()]
  await replica.reached(await images.put([theirs]))
  const erased = (await images.erase(theirs.id)) ?? 0
  const isNoted = replica.reached(erased)
  await until(() => isNoting)

  await replica.applied(await images.put([mine]))
  t.same(found(replica, [theirs, mine]), [mine.id])
  for (const go of onDisk) go()
  await isNoted
})
