// A list of the backups that were made: to check before retiring a seal key, and for the alert about old backups.

import { z } from 'zod'
import type { Store } from '../redis/client.js'
import { keys } from '../redis/keys.js'
import { noteBackup } from '../scripts/backups.js'

const Made = z.object({
  path: z.string(),
  /** Host name of the machine or container that made it. */
  host: z.string(),
  madeAtMs: z.int(),
  /** Fingerprints of the seal keys that its contents need. */
  fingerprints: z.array(z.string()),
})
export type MadeBackup = z.infer<typeof Made>

/** Nearly three years of daily backups. */
const MAX_NOTED = 1000

/** Adds a backup to the list. Durable when it returns. @throws {Problem} store-unavailable */
export async function recordBackup(store: Store, made: MadeBackup): Promise<void> {
  await store.write(noteBackup, [keys.backups], [JSON.stringify(made), MAX_NOTED])
}

/** [epoch ms] Time of the last backup's data; `undefined` when there is none. */
export async function lastBackupMs(store: Store): Promise<number | undefined> {
  const text = await store.ask((redis) => redis.lindex(keys.backups, 0))
  return text === null ? undefined : Made.parse(JSON.parse(text)).madeAtMs
}

/** Known backups, newest first. Of several with the same host and path only the last: it replaced the others. */
export async function backupsMade(store: Store): Promise<MadeBackup[]> {
  const noted = await store.ask((redis) => redis.lrange(keys.backups, 0, MAX_NOTED - 1))
  const newest = new Map<string, MadeBackup>()
  for (const backup of noted.map((text) => Made.parse(JSON.parse(text)))) {
    const place = `${backup.host} ${backup.path}`
    if (!newest.has(place)) newest.set(place, backup)
  }
  return [...newest.values()]
}
