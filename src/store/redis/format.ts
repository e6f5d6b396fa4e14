// The version of the store's format. A version of Tabir that does not know the format refuses to start instead of misreading data.

import { z } from 'zod'
import { agreeFormat } from '../scripts/agree-format.js'
import type { Store } from './client.js'
import { keys } from './keys.js'

/**
 * `written`: raised with every change of keys, fields or records that an older version would misread. `readableFrom`: the oldest format whose
 * versions may use what this version writes, beside it or after it. `reads`: the oldest format that this version reads. An addition that older
 * versions can ignore raises none of them.
 */
export const FORMAT = { written: 9, readableFrom: 9, reads: 8 } as const
/** The format of a store that is in use and does not name one. */
const UNMARKED = 1

const Written = z.tuple([z.int(), z.int()])

/** Writes nothing. @throws {FormatError} for the operator, when this version does not read the store's format. */
export async function checkFormat(store: Store, own: number = FORMAT.written): Promise<void> {
  // Read before the format: the format is written before the first secret.
  const isUsed = (await store.ask((redis) => redis.exists(keys.secrets))) === 1
  const [written, readableFrom] = await store.ask((redis) => redis.hmget(keys.format, 'written', 'readableFrom'))
  if (written !== null && readableFrom !== null) {
    refuseOlder(Number(written))
    refuseNewer(Number(written), Number(readableFrom), own)
  } else if (isUsed) refuseOlder(UNMARKED)
}

/**
 * `checkFormat` for commands: they work on the store of a service and never make one.
 * @throws {Error} also when no service has used this Redis.
 */
export async function checkInUse(store: Store): Promise<void> {
  await checkFormat(store)
  if ((await store.ask((redis) => redis.exists(keys.format))) === 1) return
  throw new Error(
    'No service has made a store in this Redis yet, and a command makes none. Start the service on it, or set REDIS_URL, REDIS_SOCKET or TABIR_DATA_DIR as where it was started. Nothing was changed.',
  )
}

/** `checkFormat` for a process that writes: also records this version's format. @throws {Error} as `checkFormat` */
export async function agreeOnFormat(
  store: Store,
  own: { readonly written: number; readonly readableFrom: number } = FORMAT,
): Promise<void> {
  await checkFormat(store, own.written)
  const [written, readableFrom] = Written.parse(
    await store.write(agreeFormat, [keys.format], [own.written, own.readableFrom]),
  )
  refuseNewer(written, readableFrom, own.written) // a newer version may have written its format meanwhile
}

/** This version does not read the store. Its message is for a store that is in use. */
export class FormatError extends Error {
  readonly writtenBy: 'an older' | 'a newer'

  constructor(message: string, writtenBy: FormatError['writtenBy']) {
    super(message)
    this.writtenBy = writtenBy
  }
}

function refuseOlder(written: number): void {
  if (written >= FORMAT.reads) return
  throw new FormatError(
    `The store was written by an older version of Tabir: in format ${written}. This one reads format ${FORMAT.reads} and newer, and nothing converts it. Nothing was changed. Start the older version, or start this one with an empty data folder or an empty Redis and register again what is to match.`,
    'an older',
  )
}

function refuseNewer(written: number, readableFrom: number, own: number): void {
  if (readableFrom <= own) return
  throw new FormatError(
    `The store was written by a newer version of Tabir: in format ${written}, which versions before format ${readableFrom} would read wrongly. This one has format ${own}. Nothing was changed. Start the newer version, or restore a backup that was made before the upgrade.`,
    'a newer',
  )
}
