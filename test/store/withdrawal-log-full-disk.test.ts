// The withdrawal log on a full disk.

import { join } from 'node:path'
import t from 'tap'
import { keys } from '../../src/store/redis/keys.js'
import { createWithdrawalLog } from '../../src/store/upkeep/withdrawal-log.js'
import { withdrawnSince } from '../../src/store/upkeep/withdrawn-since.js'
import { SMALL_DISK, smallDisk } from '../helpers/small-disk.js'
import { ID, NOW, stream, tombstone } from './withdrawals.js'

/** Many ids, so that a record is larger than the free space. */
const large = (revision: number) => tombstone(revision, ...Array.from({ length: 300 }, (_, i) => 1000 * revision + i))
/** A withdrawn case of 300 images. */
const largeOp = (id: number) =>
  Buffer.concat(Array.from({ length: 300 }, (_, i) => Buffer.from(ID(1000 * id + i).replaceAll('-', ''), 'hex')))

t.test('on a full disk the withdrawal log marks at once and durably that records are missing', SMALL_DISK, async (t) => {
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
    // A restore finds this from here on, whenever the process is killed.
    t.notOk((await withdrawnSince([place], 11)).isWhole, `${freeBlocks} blocks are free`)
    t.ok(log.isBehind)
    t.equal(trouble.length, 1 + freeBlocks, 'the operator is told')
    t.match(trouble.at(-1), { message: /TabirWithdrawalsNotNoted/, cause: { code: 'ENOSPC' } })
  }
  disk.empty()
  await log.note([tombstone(15, 3)])
  t.notOk(log.isBehind)
  t.notOk((await withdrawnSince([place], 11)).isWhole, 'missed records that cannot be read again stay missing')
  t.notOk((await withdrawnSince([place], 13)).isWhole)
  t.ok((await withdrawnSince([place], 14)).isWhole, 'a later backup does not need them')
  await log.close()
})

t.test(
  'withdrawals that a full disk did not take are added when there is space, also after a kill',
  SMALL_DISK,
  async (t) => {
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
    t.equal(trouble.length, 2, 'the operator is told again')
    disk.empty()
    await second.note([await withdraw(4)])
    t.notOk(second.isBehind)
    const since = await withdrawnSince([place], 2)
    t.ok(since.isWhole)
    t.equal(since.images.size, 600)

    // The same without another withdrawal: the next start adds it.
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
  },
)
