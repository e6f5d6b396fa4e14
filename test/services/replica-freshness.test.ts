// How stale a replica may be: what waits, what is refused, and what is not delayed.

import t from 'tap'
import { DEFAULT_FRESHNESS } from '../../src/services/index/readiness.js'
import { follow, ORIGIN } from '../../src/store/images/changes.js'
import { connectForFollowing } from '../../src/store/redis/client.js'
import type { WithdrawalLog } from '../../src/store/upkeep/withdrawal-log.js'
import { startRedis } from '../helpers/redis.js'
import { PATIENT, until } from '../helpers/service.js'
import { found, openParts, randomImage } from './replica-parts.js'

t.test('a replica that has heard nothing from the store for a second does not answer', async (t) => {
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

t.test('a request after this process stood still waits until the replica is fresh, and is not refused', async (t) => {
  let nowMs = 0
  const { replicaWith } = await openParts(t, await startRedis(t))
  const replica = replicaWith({ ...DEFAULT_FRESHNESS, maxWaitMs: 60_000 }, () => nowMs)
  await replica.start()
  t.equal(replica.waitUntilFresh(), undefined, 'nothing to wait for')

  nowMs += 1200
  t.throws(() => replica.catalogue, { code: 'store-unavailable' })
  await replica.waitUntilFresh()
  t.ok(replica.catalogue)
  t.equal(replica.waitUntilFresh(), undefined)
})

t.test('while the store is unavailable the first requests wait briefly in vain, and later ones do not wait', async (t) => {
  const { replicaWith, redis } = await openParts(t, await startRedis(t))
  const replica = replicaWith(DEFAULT_FRESHNESS)
  await replica.start()
  const pid = Number(/^process_id:(\d+)/m.exec(await redis.info('server'))?.[1])
  for (let silence = 0; silence < 2; silence++) {
    process.kill(pid, 'SIGSTOP')
    await until(() => !replica.isReady)
    const first = replica.waitUntilFresh()
    t.type(first, Promise)
    t.equal(replica.waitUntilFresh(), first, 'the same wait for all')
    await first
    t.throws(() => replica.catalogue, { code: 'store-unavailable' })
    t.equal(replica.waitUntilFresh(), undefined, 'once per outage')
    process.kill(pid, 'SIGCONT')
    await until(() => replica.isReady)
  }
})

t.test('an answer of the store is as old as the question, however long it was under way', async (t) => {
  const testRedis = await startRedis(t)
  const { images, redis } = await openParts(t, testRedis)
  const follower = connectForFollowing({ url: undefined, socket: testRedis.socket })
  t.teardown(() => follower.disconnect())
  let nowMs = 1000
  const following = follow(follower, ORIGIN, 2500, () => nowMs)
  await until(async () => /^blocked_clients:1\r?$/m.test(await redis.info('clients')))
  nowMs = 5000 // the process stood still, or the connection did
  await images.put([randomImage()])

  t.match(await following, { kind: 'changes', changes: [{ revision: 1 }], caughtUpAtMs: 1000 })
})

t.test('a withdrawal waits until it is in the withdrawal log, and matching does not wait for the log', async (t) => {
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

  t.same(found(replica, [first, second, third]), [third.id], 'later changes are applied')
  t.same(noted, [[one.revision]], 'one note at a time')
  t.same(isAnswered, [false, false])
  onDisk.shift()?.()
  await one.answered
  await until(() => noted.length === 2)
  t.same(noted[1], [two.revision, put], 'all that came meanwhile, together')
  t.same(isAnswered, [true, false])
  onDisk.shift()?.()
  await Promise.all([two.answered, replica.reached(put)])
})

t.test('a registration does not wait until the withdrawals of others are logged', async (t) => {
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
