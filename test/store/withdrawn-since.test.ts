// Withdrawals since a backup by the logs, with missing records and stores that were set back.

import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { keys } from '../../src/store/redis/keys.js'
import { createWithdrawalLog, markAt } from '../../src/store/upkeep/withdrawal-log.js'
import { NO_MARK } from '../../src/store/upkeep/withdrawal-records.js'
import { withdrawnSince } from '../../src/store/upkeep/withdrawn-since.js'
import { folder, ID, logAt, NOW, numbersIn, stream, tombstone } from './withdrawals.js'

t.test('a missing record or status of the withdrawal log is detected', async (t) => {
  const place = folder(t)
  let nowMs = NOW()
  const log = logAt(t, place, () => nowMs)
  for (const [revision, month] of [
    [1, 10],
    [3, 10],
    [5, 11],
    [7, 12],
  ] as const) {
    nowMs = Date.UTC(2026, month, 25)
    await log.note([tombstone(revision, revision), { op: 'image', revision: revision + 1, imageIds: [] }])
  }
  await log.close()
  const paths = readdirSync(place).map((name) => join(place, name))
  const isWhole = async (revision = 0) => (await withdrawnSince([place], revision)).isWhole
  t.ok(await isWhole())
  for (const path of paths) {
    const before = readFileSync(path)
    const spoiled = [() => rmSync(path), () => writeFileSync(path, ''), () => writeFileSync(path, before.subarray(0, -3))]
    for (const spoil of spoiled) {
      spoil()
      t.notOk(await isWhole(), path)
      writeFileSync(path, before)
    }
  }
  const [first = ''] = paths
  rmSync(first)
  t.ok(await isWhole(3), 'records before the backup are not needed')
  t.notOk(await isWhole(2))
  t.notOk(await isWhole(9), 'a log that ends before the backup is incomplete')
})

t.test('one withdrawal log can have what another missed, and covers no changes after its end', async (t) => {
  const [one, two] = [folder(t), folder(t)]
  const failed = (error: unknown) => t.fail(String(error))
  const first = createWithdrawalLog(one, NOW, failed)
  await first.note([tombstone(1, 1), tombstone(2, 2)])
  await first.close()
  const second = createWithdrawalLog(two, () => NOW() + 5000, failed)
  await second.note([tombstone(1, 1)])
  await second.note([tombstone(2, 2)])
  await second.note([tombstone(3, 3)])
  await second.close()
  t.match(await withdrawnSince([one, two], 0), { isWhole: true, untilMs: NOW() + 5000 })
  const path = join(two, '2026-11.log')
  writeFileSync(path, readFileSync(path, 'utf8').replace(/^1 2 .*$/m, ''))
  t.match(await withdrawnSince([two], 0), { isWhole: false, untilMs: undefined })
  t.match(await withdrawnSince([one, two], 0), { isWhole: true, untilMs: NOW() + 5000 })
  writeFileSync(join(two, 'status'), '')
  t.match(await withdrawnSince([one, two], 0), { isWhole: false }, 'the first log does not have the third')
})

t.test('a restore that raised the revision leaves no gap, even if the log has more changes', async (t) => {
  const place = folder(t)
  const { redis, store, grow } = await stream(t, 6)
  const open = () => logAt(t, place)
  const first = open()
  await first.begin(store)
  await grow(7, 8)
  await first.note([tombstone(7, 7), { op: 'image', revision: 8, imageIds: [ID(8)] }])
  await first.close()
  // Restored at 4 and raised to 7; revision 8 is another change now.
  await redis.del(keys.changes)
  await grow(1, 4)
  const id = Buffer.from(ID(60).replaceAll('-', ''), 'hex')
  for (const revision of [8, 9, 10]) await redis.xadd(keys.changes, `${revision}-0`, 'op', 'tombstone', 'ids', id)
  await redis.set(keys.revision, 10)
  const second = open()
  await second.begin(store)
  await second.close()
  const since = await withdrawnSince([place], 4)
  t.ok(since.isWhole)
  t.same(numbersIn(since.images), [5, 7, 60])
})

t.test('a store with another history is read again from where the two diverge', async (t) => {
  const place = folder(t)
  const { redis, store, grow } = await stream(t, 6)
  const open = () => logAt(t, place)
  const first = open()
  await first.begin(store)
  // After a failover the last revisions are other changes.
  await redis.del(keys.changes)
  await grow(1, 4)
  const id = Buffer.from(ID(50).replaceAll('-', ''), 'hex')
  for (const revision of [5, 6]) await redis.xadd(keys.changes, `${revision}-0`, 'op', 'tombstone', 'ids', id)
  await redis.set(keys.revision, 6)
  await first.begin(store)
  await first.note([tombstone(7, 7)])
  const since = await withdrawnSince([place], 4)
  t.same(numbersIn(since.images), [5, 50, 7], 'of both histories')
  t.ok(since.isWhole)

  await redis.del(keys.changes)
  await redis.xadd(keys.changes, '1-0', 'op', 'tombstone', 'ids', id)
  await redis.set(keys.revision, 1)
  const second = open()
  await second.begin(store)
  t.ok((await withdrawnSince([place], 0)).isWhole, 'also with a history that has nothing in common')
  for (const log of [first, second]) await log.close()
})

t.test('changes that the restored store has do not count, even behind an earlier restore in the log', async (t) => {
  const place = folder(t)
  const { redis, store, grow } = await stream(t, 9)
  const begin = async () => {
    const log = logAt(t, place)
    await log.begin(store)
    await log.close()
  }
  const id = (n: number) => Buffer.from(ID(n).replaceAll('-', ''), 'hex')
  const add = async (revision: number, op: string, ids: Buffer | string) => {
    await redis.xadd(keys.changes, `${revision}-0`, 'op', op, 'ids', ids)
    await redis.set(keys.revision, revision)
  }
  await begin()
  // Restored at 2 and raised to the revision of the log. Then a key is created, and an image is withdrawn and registered again.
  await redis.del(keys.changes)
  await grow(1, 2)
  await add(9, 'restored', '')
  await add(10, 'api-key', 'ours')
  await add(11, 'tombstone', id(50))
  await add(12, 'image', id(50))
  await begin()
  const since = async (revision: number) => {
    const { images, keys: changed, isWhole } = await withdrawnSince([place], revision, (at) => markAt(store, at))
    return { images: numbersIn(images), keys: [...changed], isWhole }
  }
  t.same(await since(12), { images: [], keys: [], isWhole: true }, 'everything is in the backup')
  t.same(await since(10), { images: [50], keys: [], isWhole: true }, 'the withdrawal is later')
  t.same(await since(9), { images: [50], keys: ['ours'], isWhole: true })

  await add(13, 'tombstone', id(60))
  await begin()
  await redis.xtrim(keys.changes, 'MINID', '13-0')
  t.same(await since(13), { images: [], keys: [], isWhole: true }, 'changes before one that it has are in it too')

  // The same revisions in another history: the backup has nothing of it.
  await redis.del(keys.changes)
  await grow(1, 2)
  await add(9, 'restored', '')
  await add(10, 'api-key', 'theirs')
  await add(11, 'tombstone', id(70))
  await begin()
  t.same(await since(11), { images: [50, 60], keys: ['ours'], isWhole: true })
})

t.test('a gap in the log before the backup does not matter, even behind an earlier restore', async (t) => {
  const place = folder(t)
  const { store } = await stream(t, 8)
  const record = async (revision: number) => `${revision} ${await markAt(store, revision)} images ${ID(revision)} .`
  const lines = [
    `0 ${await record(1)}`,
    `9 0 ${NO_MARK} back .`,
    `0 ${await record(1)}`,
    `3 ${await record(5)}`,
    `5 ${await record(7)}`,
  ]
  writeFileSync(join(place, '2026-11.log'), lines.join('\n'))
  const [noted, at] = ['7'.padStart(16, '0'), '8'.padStart(16, '0')]
  writeFileSync(join(place, 'status'), `whole  ${noted} ${at} ${await markAt(store, 8)} ${new Date(NOW()).toISOString()}\n`)
  const isWhole = async (revision: number) => (await withdrawnSince([place], revision, (at) => markAt(store, at))).isWhole
  t.notOk(await isWhole(2))
  t.ok(await isWhole(6))
})
