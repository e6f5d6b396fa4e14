// In which format the store is written, so that a version that does not know it refuses, before it reads anything wrongly.

import { z } from 'zod'
import { agreeFormat } from '../scripts/agree-format.js'
import type { Store } from './client.js'
import { keys } from './keys.js'

/**
 * Raised with every change of keys, fields or records that an older version would read wrongly; `readableFrom` is the oldest format whose
 * versions may still work on what this one writes, beside it or after it. Additions that older versions leave out raise neither. `reads` is the
 * oldest format that this version reads.
 */
export const FORMAT = { written: 6, readableFrom: 6, reads: 6 } as const
/** Of a store that has been used and does not say its format. */
const UNMARKED = 1

const Written = z.tuple([z.int(), z.int()])

/** @throws {Error} for the operator, when the store is in a format that this version does not read. */
export async function checkFormat(store: Store, own: number = FORMAT.written): Promise<void> {
  // Asked first: the format is noted before the first secret.
  const isUsed = (await store.ask((redis) => redis.exists(keys.secrets))) === 1
  const [written, readableFrom] = await store.ask((redis) => redis.hmget(keys.format, 'written', 'readableFrom'))
  if (written !== null && readableFrom !== null) {
    refuseOlder(Number(written))
    refuseNewer(Number(written), Number(readableFrom), own)
  } else if (isUsed) refuseOlder(UNMARKED)
}

/**
 * The same, for a command: it works on what a service has made, and makes nothing itself.
 * @throws {Error} besides, when no service has used this Redis.
 */
export async function checkInUse(store: Store): Promise<void> {
  await checkFormat(store)
  if ((await store.ask((redis) => redis.exists(keys.format))) === 1) return
  throw new Error(
    'No service has made a store in this Redis yet, and a command makes none. Start the service on it, or set REDIS_URL, REDIS_SOCKET or TABIR_DATA_DIR as where it was started. Nothing was changed.',
  )
}

/** The check, and notes this version's own format, for a process that writes. */
export async function agreeOnFormat(
  store: Store,
  own: { readonly written: number; readonly readableFrom: number } = FORMAT,
): Promise<void> {
  await checkFormat(store, own.written)
  const [written, readableFrom] = Written.parse(
    await store.write(agreeFormat, [keys.format], [own.written, own.readableFrom]),
  )
  refuseNewer(written, readableFrom, own.written) // somebody may have been faster
}

function refuseOlder(written: number): void {
  if (written >= FORMAT.reads) return
  throw new Error(
    `The store was written by an older version of Tabir: in format ${written}. This one reads format ${FORMAT.reads} and newer, and nothing converts it. Nothing was changed. Start the older version, or start this one with an empty data folder or an empty Redis and register again what is to match.`,
  )
}

function refuseNewer(written: number, readableFrom: number, own: number): void {
  if (readableFrom <= own) return
  throw new Error(
    `The store was written by a newer version of Tabir: in format ${written}, which versions before format ${readableFrom} would read wrongly. This one has format ${own}. Nothing was changed. Start the newer version, or restore a backup that was made before the upgrade.`,
  )
}
