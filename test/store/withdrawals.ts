// Tombstones, folders for logs, and a change stream to read them from.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import type { Test } from 'tap'
import { openStore } from '../../src/store/redis/client.js'
import { keys } from '../../src/store/redis/keys.js'
import type { Change } from '../../src/store/scripts/change-ops.js'
import { createWithdrawalLog } from '../../src/store/upkeep/withdrawal-log.js'
import { startRedis, storeAt } from '../helpers/redis.js'

export const ID = (n: number) => `00000000-0000-8000-8000-${String(n).padStart(12, '0')}`
export const tombstone = (revision: number, ...numbers: number[]): Change => ({
  op: 'tombstone',
  revision,
  imageIds: numbers.map(ID),
})
export const NOW = () => Date.UTC(2026, 10, 25)

export function folder(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'tabir-withdrawals-'))
  t.teardown(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** A withdrawal log that fails the test on an error. */
export function logAt(t: Test, place: string, now: () => number = NOW) {
  return createWithdrawalLog(place, now, (error) => t.fail(String(error)))
}

export function numbersIn(images: ReadonlySet<string>): number[] {
  return [...images].map((id) => Number(id.slice(-12)))
}

/** A change stream with an entry for each revision: odd ones are tombstones of the image with their number. */
export async function stream(t: Test, count: number) {
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
