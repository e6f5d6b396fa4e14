import {
  appendFileSync,
  constants,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { changesBetween } from '../../src/store/images/changes.js'
import { openStore } from '../../src/store/redis/client.js'
import { keys } from '../../src/store/redis/keys.js'
import type { Change } from '../../src/store/scripts/change-ops.js'
import { createWithdrawalLog, markAt } from '../../src/store/upkeep/withdrawal-log.js'
import { NO_MARK } from '../../src/store/upkeep/withdrawal-records.js'
import { withdrawnSince } from '../../src/store/upkeep/withdrawn-since.js'
import { startRedis, storeAt } from '../helpers/redis.js'
import { SMALL_DISK, smallDisk } from '../helpers/small-disk.js'

const ID = (n: number) => `00000000-0000-8000-8000-${String(n).padStart(12, '0')}`
const tombstone = (revision: number, ...numbers: number[]): Change => ({
  op: 'tombstone',
  revision,
  imageIds: numbers.map(ID),
})
const NOW = () => Date.UTC(2026, 10, 25)

function folder(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'tabir-withdrawals-'))
  t.teardown(() => rmSync(path, { recursive: true, force: true }))
  return path
}

function numbersIn(images: ReadonlySet<string>): number[] {
  return [...images].map((id) => Number(id.slice(-12)))
}

/** A change stream with an entry for each revision: odd ones are tombstones of the image with their number. */
async function stream(t: Test, count: number) {
  const { socket } = await startRedis(t)
  const redis = new Redis(socket)
  const store = await openStore(storeAt(socket))
  t.teardown(async () => {
    redis.disconnect()
    await store.close()
  })
  const grow = async (from: number, to: number) => {
    for (let revision = from; revision <= to; revision++) {
      const id = Buffer.from(ID(revision).replaceAll('-', ''), 'hex')
      await redis.xadd(keys.changes, `${revision}-0`, 'op', revision % 2 === 1 ? 'tombstone' : 'image', 'ids', id)
    }
    await redis.set(keys.revision, to)
  }
  await grow(1, count)
  return { redis, store, grow }
}

const SEES_DESCRIPTORS = process.platform === 'linux'

t.test('what is noted is written through to the disk', { skip: !SEES_DESCRIPTORS }, async (t) => {
  const place = folder(t)
  const log = createWithdrawalLog(place, NOW, (error) => t.fail(String(error)))
  await log.note([tombstone(1, 1)])
  const path = join(place, readdirSync(place)[0] ?? '')
  const flags = readdirSync('/proc/self/fd')
    .filter((fd) => isOf(fd, path))
    .map((fd) => Number.parseInt(/^flags:\s+(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '', 8))
  t.same(
    flags.map((each) => each & constants.O_SYNC),
    [constants.O_SYNC],
  )
  await log.close()
})

/** Does the descriptor lead to the file? The one that was for listing them is closed by then. */
function isOf(fd: string, path: string): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`) === path
  } catch {
    return false
  }
}

t.test('what was noted is there again, after a revision and from all folders', async (t) => {
  const [one, two] = [folder(t), folder(t)]
  const failed = (error: unknown) => t.fail(String(error))
  const first = createWithdrawalLog(one, NOW, failed)
  await first.note([tombstone(1, 1, 2), { op: 'image', revision: 2, imageIds: [ID(9)] }, tombstone(3, 3)])
  await first.note([{ op: 'api-key', revision: 4, name: 'abc' }])
  await first.close()
  const second = createWithdrawalLog(two, NOW, failed)
  await second.note([tombstone(5, 5)])
  await second.close()

  t.same(numbersIn((await withdrawnSince([one, two], 0)).images), [1, 2, 3, 5])
  const since = await withdrawnSince([one, two], 2)
  t.same(numbersIn(since.images), [3, 5])
  t.same([...since.keys], ['abc'])
  t.equal(since.revision, 5)
  t.same(await withdrawnSince([folder(t), '/nowhere'], 0), {
    images: new Set(),
    keys: new Set(),
    isWhole: false,
    untilMs: undefined,
    hasRecords: false,
    revision: 0,
  })
})

t.test('a process that was unavailable adds what it missed, as long as the stream remembers', async (t) => {
  const place = folder(t)
  const { redis, store, grow } = await stream(t, 4)
  const open = () => createWithdrawalLog(place, NOW, (error) => t.fail(String(error)))
  const first = open()
  await first.begin(store)
  t.same(numbersIn((await withdrawnSince([place], 0)).images), [1, 3])
  await first.close()
  await grow(5, 8)
  const second = open()
  await second.begin(store)
  await second.note([tombstone(7, 7)])
  await second.close()
  const read = await withdrawnSince([place], 0)
  t.same(numbersIn(read.images), [1, 3, 5, 7], 'each once, though it heard of one twice')
  t.ok(read.isWhole)

  await grow(9, 12)
  await redis.xtrim(keys.changes, 'MAXLEN', 1)
  const third = open()
  await third.begin(store)
  await third.note([tombstone(13, 13)])
  await third.close()
  t.notOk((await withdrawnSince([place], 8)).isWhole, 'something is missing, and it says so')
  t.ok((await withdrawnSince([place], 12)).isWhole)
  const gaps: unknown[] = []
  for await (const changes of changesBetween(store, 8, 12)) gaps.push(changes)
  t.same(gaps, ['gap'])
})

t.test('after the store went back, everything that comes later counts', async (t) => {
  const place = folder(t)
  const { redis, store } = await stream(t, 8)
  const log = createWithdrawalLog(place, NOW, (error) => t.fail(String(error)))
  await log.begin(store)
  await redis.set(keys.revision, 4)
  await log.begin(store)
  await log.note([tombstone(5, 50)])
  await log.close()
  t.same(numbersIn((await withdrawnSince([place], 6)).images), [7, 50], 'though its revision is an older one')
})

t.test('a line that a crash cut short, and a disk that takes nothing, are no end of it', async (t) => {
  const place = folder(t)
  const trouble: unknown[] = []
  const log = createWithdrawalLog(place, NOW, (error) => trouble.push(error))
  await log.note([tombstone(1, 1)])
  const [name] = readdirSync(place)
  appendFileSync(join(place, name ?? ''), `1 2 0000000000000000 images ${ID(8)} 0000`)
  await log.note([tombstone(3, 3)])
  await log.close()
  t.same(numbersIn((await withdrawnSince([place], 0)).images), [1, 3])

  const blocked = join(folder(t), 'file')
  writeFileSync(blocked, '')
  const unlucky = createWithdrawalLog(blocked, NOW, (error) => trouble.push(error))
  await unlucky.note([tombstone(1, 1)])
  t.equal(trouble.length, 1)
  rmSync(blocked)
  await unlucky.note([tombstone(2, 2)])
  await unlucky.close()
  t.notOk((await withdrawnSince([blocked], 0)).isWhole, 'it says that something is missing')
})

t.test('who moves the file away, or deletes it, loses nothing that is noted from then on', async (t) => {
  const place = folder(t)
  const log = createWithdrawalLog(place, NOW, (error) => t.fail(String(error)))
  await log.note([tombstone(1, 1)])
  const [name = ''] = readdirSync(place)
  renameSync(join(place, name), join(folder(t), name))
  await log.note([tombstone(3, 3)])
  t.same(numbersIn((await withdrawnSince([place], 0)).images), [3])
  rmSync(place, { recursive: true })
  await log.note([tombstone(5, 5)])
  await log.close()

  t.same(numbersIn((await withdrawnSince([place], 0)).images), [5])
})

t.test('each month has a file of its own', async (t) => {
  const place = folder(t)
  let nowMs = NOW()
  const log = createWithdrawalLog(
    place,
    () => nowMs,
    (error) => t.fail(String(error)),
  )
  await log.note([tombstone(1, 1)])
  nowMs = Date.UTC(2026, 11, 1)
  await log.note([tombstone(3, 3)])
  await log.close()

  t.same(readdirSync(place).sort(), ['2026-11.log', '2026-12.log', 'status'])
  t.same(numbersIn((await withdrawnSince([place], 0)).images), [1, 3])
})

/** Many ids, so that a record is larger than what is free. */
const large = (revision: number) => tombstone(revision, ...Array.from({ length: 300 }, (_, i) => 1000 * revision + i))
/** A case that was withdrawn, of 300 images. */
const largeOp = (id: number) =>
  Buffer.concat(Array.from({ length: 300 }, (_, i) => Buffer.from(ID(1000 * id + i).replaceAll('-', ''), 'hex')))

t.test('on a full disk it says at once, and durably, that something is missing', SMALL_DISK, async (t) => {
  const disk = smallDisk(t)
  const place = join(disk.path, 'withdrawals')
  const trouble: unknown[] = []
  const log = createWithdrawalLog(place, NOW, (error) => trouble.push(error))
  await log.note([tombstone(11, 1)])
  t.ok((await withdrawnSince([place], 11)).isWhole)
  t.notOk(log.isBehind)
  for (const freeBlocks of [0, 1, 2]) {
    disk.empty()
    disk.fill(freeBlocks)
    await log.note([large(12 + freeBlocks)])
    // What a restore finds from here on, whenever the process is killed.
    t.notOk((await withdrawnSince([place], 11)).isWhole, `${freeBlocks} blocks are free`)
    t.ok(log.isBehind)
    t.equal(trouble.length, 1 + freeBlocks, 'and the operator is told')
    t.match(trouble.at(-1), { message: /TabirWithdrawalsNotNoted/, cause: { code: 'ENOSPC' } })
  }
  disk.empty()
  await log.note([tombstone(15, 3)])
  t.notOk(log.isBehind)
  t.notOk((await withdrawnSince([place], 11)).isWhole, 'what was missed and cannot be read again stays missing')
  t.notOk((await withdrawnSince([place], 13)).isWhole)
  t.ok((await withdrawnSince([place], 14)).isWhole, 'for a backup of later it does not matter')
  await log.close()
})

t.test('what a full disk did not take is added when it has room, also after a kill', SMALL_DISK, async (t) => {
  const disk = smallDisk(t)
  const place = join(disk.path, 'withdrawals')
  const { redis, store, grow } = await stream(t, 2)
  const withdraw = async (revision: number) => {
    await redis.xadd(keys.changes, `${revision}-0`, 'op', 'tombstone', 'ids', largeOp(revision))
    await redis.set(keys.revision, revision)
    return large(revision)
  }
  const trouble: unknown[] = []
  const open = () => createWithdrawalLog(place, NOW, (error) => trouble.push(error))
  const first = open()
  await first.begin(store)
  disk.fill()
  await first.note([await withdraw(3)])
  t.ok(first.isBehind)
  t.equal(trouble.length, 1)
  // It is killed. The next one starts while the disk is still full.
  const second = open()
  await second.begin(store)
  t.ok(second.isBehind)
  t.notOk((await withdrawnSince([place], 2)).isWhole)
  t.equal(trouble.length, 2, 'told once more')
  disk.empty()
  await second.note([await withdraw(4)])
  t.notOk(second.isBehind)
  const since = await withdrawnSince([place], 2)
  t.ok(since.isWhole)
  t.equal(since.images.size, 600)

  // The same without a withdrawal that comes to its aid: the next start.
  disk.fill()
  await second.note([await withdraw(5)])
  t.notOk((await withdrawnSince([place], 2)).isWhole)
  disk.empty()
  await grow(6, 6)
  const third = open()
  await third.begin(store)
  const later = await withdrawnSince([place], 2)
  t.ok(later.isWhole)
  t.equal(later.images.size, 900)
  for (const log of [first, second, third]) await log.close()
})

t.test('a record that is missing, wherever, and a status that is missing are noticed', async (t) => {
  const place = folder(t)
  let nowMs = NOW()
  const log = createWithdrawalLog(
    place,
    () => nowMs,
    (error) => t.fail(String(error)),
  )
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
  t.ok(await isWhole(3), 'of what came before the backup nothing has to be known')
  t.notOk(await isWhole(2))
  t.notOk(await isWhole(9), 'a log that ends before the backup knows nothing of later')
})

t.test('one log may have what another one missed, and one that ended says nothing of later', async (t) => {
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
  t.match(await withdrawnSince([one, two], 0), { isWhole: false }, 'the first one did not hear of the third')
})

t.test('a restore that raised the revision leaves no hole, also where the log knows of more', async (t) => {
  const place = folder(t)
  const { redis, store, grow } = await stream(t, 6)
  const open = () => createWithdrawalLog(place, NOW, (error) => t.fail(String(error)))
  const first = open()
  await first.begin(store)
  await grow(7, 8)
  await first.note([tombstone(7, 7), { op: 'image', revision: 8, imageIds: [ID(8)] }])
  await first.close()
  // Restored at 4, raised to 7; and 8 is another change now.
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

t.test('a store whose history is another one since is read again from where the two part', async (t) => {
  const place = folder(t)
  const { redis, store, grow } = await stream(t, 6)
  const open = () => createWithdrawalLog(place, NOW, (error) => t.fail(String(error)))
  const first = open()
  await first.begin(store)
  // After a failover the last changes are other ones of the same numbers.
  await redis.del(keys.changes)
  await grow(1, 4)
  const id = Buffer.from(ID(50).replaceAll('-', ''), 'hex')
  for (const revision of [5, 6]) await redis.xadd(keys.changes, `${revision}-0`, 'op', 'tombstone', 'ids', id)
  await redis.set(keys.revision, 6)
  await first.begin(store)
  await first.note([tombstone(7, 7)])
  const since = await withdrawnSince([place], 4)
  t.same(numbersIn(since.images), [5, 50, 7], 'those of both histories')
  t.ok(since.isWhole)

  await redis.del(keys.changes)
  await redis.xadd(keys.changes, '1-0', 'op', 'tombstone', 'ids', id)
  await redis.set(keys.revision, 1)
  const second = open()
  await second.begin(store)
  t.ok((await withdrawnSince([place], 0)).isWhole, 'also one that has nothing in common with it')
  for (const log of [first, second]) await log.close()
})

t.test('what the restored store has already does not count, though the log has it behind an earlier restore', async (t) => {
  const place = folder(t)
  const { redis, store, grow } = await stream(t, 9)
  const begin = async () => {
    const log = createWithdrawalLog(place, NOW, (error) => t.fail(String(error)))
    await log.begin(store)
    await log.close()
  }
  const id = (n: number) => Buffer.from(ID(n).replaceAll('-', ''), 'hex')
  const add = async (revision: number, op: string, ids: Buffer | string) => {
    await redis.xadd(keys.changes, `${revision}-0`, 'op', op, 'ids', ids)
    await redis.set(keys.revision, revision)
  }
  await begin()
  // Restored at 2 and raised to what the log knows. Then a key is made, and an image is withdrawn and registered again.
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
  t.same(await since(12), { images: [], keys: [], isWhole: true }, 'it is all in the backup')
  t.same(await since(10), { images: [50], keys: [], isWhole: true }, 'the withdrawal came after that one')
  t.same(await since(9), { images: [50], keys: ['ours'], isWhole: true })

  await add(13, 'tombstone', id(60))
  await begin()
  await redis.xtrim(keys.changes, 'MINID', '13-0')
  t.same(await since(13), { images: [], keys: [], isWhole: true }, 'what came before a change that it has is there as well')

  // The same numbers in another history: the backup of one has nothing of the other.
  await redis.del(keys.changes)
  await grow(1, 2)
  await add(9, 'restored', '')
  await add(10, 'api-key', 'theirs')
  await add(11, 'tombstone', id(70))
  await begin()
  t.same(await since(11), { images: [50, 60], keys: ['ours'], isWhole: true })
})

t.test('a hole in the log that is older than the backup does not matter, also behind an earlier restore', async (t) => {
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
