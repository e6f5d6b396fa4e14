// Which backups were made: for whoever retires a seal key, and for the alert about old backups.

import { z } from 'zod'
import type { Store } from '../redis/client.js'
import { keys } from '../redis/keys.js'
import { noteBackup } from '../scripts/backups.js'

const Made = z.object({
  path: z.string(),
  /** The name of the machine, or container, on which it was made. */
  host: z.string(),
  madeAtMs: z.int(),
  /** Of the keys that it is sealed under. */
  fingerprints: z.array(z.string()),
})
export type MadeBackup = z.infer<typeof Made>

/** Nearly three years of one a day. */
const MAX_NOTED = 1000

export async function backupMade(store: Store, made: MadeBackup): Promise<void> {
  await store.write(noteBackup, [keys.backups], [JSON.stringify(made), MAX_NOTED])
}

/** [epoch ms] The moment that the last backup holds; `undefined` when none is known. */
export async function lastBackupMs(store: Store): Promise<number | undefined> {
  const text = await store.ask((redis) => redis.lindex(keys.backups, 0))
  return text === null ? undefined : Made.parse(JSON.parse(text)).madeAtMs
}

/** The newest first; of several at one place, which replaced each other, the last. */
export async function backupsMade(store: Store): Promise<MadeBackup[]> {
  const noted = await store.ask((redis) => redis.lrange(keys.backups, 0, MAX_NOTED - 1))
  const newest = new Map<string, MadeBackup>()
  for (const each of noted.map((text) => Made.parse(JSON.parse(text)))) {
    const place = `${each.host} ${each.path}`
    if (!newest.has(place)) newest.set(place, each)
  }
  return [...newest.values()]
}
