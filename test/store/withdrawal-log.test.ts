import {
  appendFileSync,
  constants,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { changesBetween } from '../../src/store/images/changes.js'
import { keys } from '../../src/store/redis/keys.js'
import { createWithdrawalLog } from '../../src/store/upkeep/withdrawal-log.js'
import { withdrawnSince } from '../../src/store/upkeep/withdrawn-since.js'
import { folder, ID, logAt, NOW, numbersIn, stream, tombstone } from './withdrawals.js'

const SEES_DESCRIPTORS = process.platform === 'linux'

t.test('the withdrawal log is written with O_SYNC', { skip: !SEES_DESCRIPTORS }, async (t) => {
  const place = folder(t)
  const log = logAt(t, place)
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

/** Whether the descriptor is open on the file. The one that listed the folder is closed by then. */
function isOf(fd: string, path: string): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`) === path
  } catch {
    return false
  }
}

t.test('recorded withdrawals are read after a revision and from all folders', async (t) => {
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

t.test('a process that was down adds the withdrawals that it missed, if the stream still has them', async (t) => {
  const place = folder(t)
  const { redis, store, grow } = await stream(t, 4)
  const open = () => logAt(t, place)
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
  t.same(numbersIn(read.images), [1, 3, 5, 7], 'each once, although one was received twice')
  t.ok(read.isWhole)

  await grow(9, 12)
  await redis.xtrim(keys.changes, 'MAXLEN', 1)
  const third = open()
  await third.begin(store)
  await third.note([tombstone(13, 13)])
  await third.close()
  t.notOk((await withdrawnSince([place], 8)).isWhole, 'marked as incomplete')
  t.ok((await withdrawnSince([place], 12)).isWhole)
  const gaps: unknown[] = []
  for await (const changes of changesBetween(store, 8, 12)) gaps.push(changes)
  t.same(gaps, ['gap'])
})

t.test('after the store was set back every later withdrawal counts', async (t) => {
  const place = folder(t)
  const { redis, store } = await stream(t, 8)
  const log = logAt(t, place)
  await log.begin(store)
  await redis.set(keys.revision, 4)
  await log.begin(store)
  await log.note([tombstone(5, 50)])
  await log.close()
  t.same(numbersIn((await withdrawnSince([place], 6)).images), [7, 50], 'although its revision is lower')
})

t.test('a truncated line or a disk that refuses writes does not end the withdrawal log', async (t) => {
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
  t.notOk((await withdrawnSince([blocked], 0)).isWhole, 'marked as incomplete')
})

t.test('if the file of the withdrawal log is moved or deleted, later withdrawals are still recorded', async (t) => {
  const place = folder(t)
  const log = logAt(t, place)
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

t.test('the withdrawal log has a file for each month', async (t) => {
  const place = folder(t)
  let nowMs = NOW()
  const log = logAt(t, place, () => nowMs)
  await log.note([tombstone(1, 1)])
  nowMs = Date.UTC(2026, 11, 1)
  await log.note([tombstone(3, 3)])
  await log.close()

  t.same(readdirSync(place).sort(), ['2026-11.log', '2026-12.log', 'status'])
  t.same(numbersIn((await withdrawnSince([place], 0)).images), [1, 3])
})
