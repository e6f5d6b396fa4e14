import t from 'tap'
import type { RegisteredImage } from '../../packages/core/src/matching/signal.js'
import { createOwnWrites } from '../../src/store/images/read-your-writes.js'
import { imageShard, keys } from '../../src/store/redis/keys.js'
import { startRedis } from '../helpers/redis.js'
import { PATIENT, until } from '../helpers/service.js'
import { found, openParts, randomImage } from './replica-parts.js'

t.test('replicas agree with a map, whatever is put, replaced and erased, and whenever they start', async (t) => {
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
    t.same(found(replica, gone), [], 'no erased or replaced image is found')
    t.equal(replica.catalogue.images, model.size)
  }
})

t.test('a stream trimmed beyond a replica’s position leads to a full load, not to a gap', async (t) => {
  const { images, replicaWith, redis } = await openParts(t, await startRedis(t))
  const first = randomImage()
  await images.put([first])
  const replica = replicaWith()
  await replica.start()

  // While the replica is not reading: an erasure and an addition, whose changes are gone from the stream.
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

function shardAndId(id: string): [string, Buffer] {
  const bytes = Buffer.from(id.replaceAll('-', ''), 'hex')
  return [keys.images(imageShard(bytes)), bytes]
}

t.test('the next changes are requested while the previous ones are applied', async (t) => {
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

t.test('images that the own process wrote are not read from the store, and those of others are', async (t) => {
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

t.test('an image written and withdrawn before a replica knew of it is never found', async (t) => {
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
  await others.put([randomImage()]) // requested already; what follows is known at once
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
