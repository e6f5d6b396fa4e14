// tabir restore FILE [--withdrawals FOLDER]…

import { existsSync } from 'node:fs'
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { type Config, readConfig } from '../config.js'
import { apiKeysIn } from '../store/api-keys.js'
import { noteInAudit } from '../store/audit.js'
import { readBackup } from '../store/backup-file.js'
import { casesIn } from '../store/cases.js'
import { lastRevision } from '../store/changes.js'
import { continueFile } from '../store/continued-file.js'
import { openRedisServer, type RedisServer } from '../store/embedded-redis.js'
import { imagesIn } from '../store/images.js'
import { keys } from '../store/keys.js'
import { raiseRevision } from '../store/scripts/raise-revision.js'
import type { Keyring } from '../store/seal.js'
import { keyringOf } from '../store/seal-keys.js'
import { checkRing } from '../store/seal-ring.js'
import { sealedFileId } from '../store/sealed-file.js'
import { loadSecrets } from '../store/secrets.js'
import { openStore, type Store } from '../store/store.js'
import { type Withdrawals, withdrawnSince } from '../store/withdrawal-log.js'
import { progressIn, type RestoreProgress } from './restore-progress.js'

const USAGE = 'tabir restore FILE [--withdrawals FOLDER]…'

/**
 * Puts a backup in place of a data folder without data, and takes back what was taken back since. All of it happens beside;
 * what was interrupted goes on, and a service never sees it half done.
 *
 * @returns the exit status: 0; 2 for arguments that cannot be used; 1 for what went wrong.
 */
export async function restore(args: readonly string[]): Promise<number> {
  const options = optionsOf([...args])
  if (options === undefined) return failed(USAGE, 2)
  try {
    const config = readConfig(process.env)
    const folder = resolve(config.dataDir, 'redis')
    if (config.redisUrl !== undefined || config.redisSocket !== undefined)
      return failed('A backup is restored into the data folder of a private Redis: unset REDIS_URL and REDIS_SOCKET.', 2)
    if (existsSync(join(folder, 'appendonlydir')))
      return failed('This data folder has data. Move it away first; nothing was changed.', 2)
    const keyring = keyringOf(config, false)
    const beside = resolve(config.dataDir, 'restoring')
    const progress = await progressIn(beside, await sealedFileId(options.file))
    await writeLog(join(beside, 'redis'), options.file, keyring, progress)
    const logs = options.withdrawals ?? [config.withdrawalsDir ?? join(config.dataDir, 'withdrawals')]
    print(await takeBack({ ...config, dataDir: beside }, keyring, logs, progress))
    await rm(folder, { recursive: true, force: true }) // at most empty, or with a socket that nobody listens at
    await rename(join(beside, 'redis'), folder)
    await rm(beside, { recursive: true, force: true })
    return 0
  } catch (error) {
    return failed(error instanceof Error ? error.message : String(error), 1)
  }
}

function optionsOf(args: string[]): { readonly file: string; readonly withdrawals: string[] | undefined } | undefined {
  try {
    const { values, positionals } = parseArgs({
      args,
      options: { withdrawals: { type: 'string', multiple: true } },
      allowPositionals: true,
    })
    const [file, ...more] = positionals
    return file === undefined || more.length > 0 ? undefined : { file, withdrawals: values.withdrawals }
  } catch {
    return undefined
  }
}

/** What Redis reads at its start: a log that begins with a whole copy, and has nothing behind it. */
async function writeLog(folder: string, path: string, keyring: Keyring, progress: RestoreProgress): Promise<void> {
  if (progress.now.logIsWhole) return
  const log = join(folder, 'appendonlydir')
  await mkdir(log, { recursive: true, mode: 0o700 })
  const base = await continueFile(join(log, 'appendonly.aof.1.base.rdb'))
  try {
    await readBackup(path, keyring, (piece) => base.write(piece))
    await base.end()
  } finally {
    await base.close()
  }
  await writeFile(join(log, 'appendonly.aof.1.incr.aof'), '', { mode: 0o600 })
  const lines = ['file appendonly.aof.1.base.rdb seq 1 type b', 'file appendonly.aof.1.incr.aof seq 1 type i', '']
  await writeFile(join(log, 'appendonly.aof.manifest'), lines.join('\n'), { mode: 0o600, flush: true })
  await progress.note({ logIsWhole: true })
}

async function takeBack(
  config: Config,
  keyring: Keyring,
  logs: readonly string[],
  progress: RestoreProgress,
): Promise<object> {
  const server = await openOwnServer(config)
  try {
    const store = await openStore({ url: server.url, socket: server.socket })
    try {
      await checkRing(store, keyring)
      await loadSecrets(store, keyring)
      // Before it is raised: whoever goes on must not take what is still to be taken back for what came before the backup.
      const revision = progress.now.revision ?? (await lastRevision(store))
      await progress.note({ revision })
      const withdrawals = await withdrawnSince(logs, revision)
      // First: what is taken back here must come behind all that the logs know, or be taken for it at the next restore.
      await store.write(raiseRevision, [keys.revision, keys.changes], [withdrawals.revision])
      const taken = await apply(store, keyring, withdrawals)
      const about = { revision: String(revision) }
      await noteInAudit(store, { act: 'store.restored', by: 'operator', about, atMs: Date.now() })
      return {
        revision,
        ...taken,
        withdrawalsSince: withdrawals.isWhole ? 'known' : (await hasAny(logs)) ? 'perhaps-incomplete' : 'unknown',
      }
    } finally {
      await store.close()
    }
  } finally {
    await server.stop()
  }
}

/** The one of a restore that was killed ends by itself. What it is still writing must not be moved away under it. */
async function openOwnServer(config: Config): Promise<RedisServer> {
  for (;;) {
    const server = await openRedisServer(config)
    if (server.owned) return server
    await server.gone
  }
}

/** An image of a case is erased by the end of the case alone, so the case has ended. Running it twice changes nothing. */
async function apply(store: Store, keyring: Keyring, withdrawals: Withdrawals) {
  const images = imagesIn(store, keyring)
  const cases = casesIn(store)
  const apiKeys = apiKeysIn(store)
  const nowMs = Date.now()
  let casesEnded = 0
  let signalsRemoved = 0
  for (const id of withdrawals.images) {
    const [image] = await images.get([id])
    if (image === undefined) continue
    if (image.caseId !== undefined && (await cases.end(image.caseId, 'withdrawn', nowMs)) !== undefined) casesEnded++
    else if ((await images.erase(id)) !== undefined) signalsRemoved++
  }
  const keysRevoked: string[] = []
  for (const id of withdrawals.keys) if ((await apiKeys.revoke(id, nowMs)) !== undefined) keysRevoked.push(id)
  return { casesEnded, signalsRemoved, keysRevoked }
}

async function hasAny(folders: readonly string[]): Promise<boolean> {
  const names = await Promise.all(folders.map((folder) => readdir(folder).catch(() => [])))
  return names.some(({ length }) => length > 0)
}

function print(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`)
}

function failed(why: string, status: number): number {
  process.stderr.write(`${why}\n`)
  return status
}
