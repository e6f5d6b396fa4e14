// tabir restore FILE [--withdrawals FOLDER]… [--accept-gap]

import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { moveIntoPlace, writeWholeFile } from '../../../packages/core/src/node/write-file.js'
import { type Config, readConfig } from '../../boot/config.js'
import { inChunks } from '../../domain/in-chunks.js'
import { messageOf } from '../../domain/message-of.js'
import { continueFile } from '../../files/continued-file.js'
import { makeFolder } from '../../files/make-folder.js'
import { noteInAudit } from '../../store/audit/audit.js'
import { createCaseStore } from '../../store/cases/cases.js'
import { openRedisServer, type RedisServer } from '../../store/embedded/embedded-redis.js'
import { lastRevision } from '../../store/images/changes.js'
import { createImageStore } from '../../store/images/images.js'
import { createApiKeyStore } from '../../store/organisations/api-keys.js'
import { openStore, type Store } from '../../store/redis/client.js'
import { checkFormat, FormatError } from '../../store/redis/format.js'
import { forgetHeartbeats } from '../../store/redis/heartbeats.js'
import { keys } from '../../store/redis/keys.js'
import { raiseRevision } from '../../store/scripts/images/raise-revision.js'
import { IMAGE_SHARDS } from '../../store/scripts/shards.js'
import type { Keyring } from '../../store/sealing/seal.js'
import { keyringOf } from '../../store/sealing/seal-keys.js'
import { checkRing } from '../../store/sealing/seal-ring.js'
import { sealedFileId } from '../../store/sealing/sealed-file.js'
import { hasSecrets, loadSecrets } from '../../store/sealing/secrets.js'
import { readBackup } from '../../store/upkeep/backup-file.js'
import { RDB_HEAD_BYTES, rdbCounts } from '../../store/upkeep/rdb-head.js'
import { markAt } from '../../store/upkeep/withdrawal-log.js'
import { type Withdrawals, withdrawnSince } from '../../store/upkeep/withdrawn-since.js'
import { failed, printJson } from '../output.js'
import { COMMAND_TIMEOUT_MS } from '../store-of-command.js'
import { progressIn, type RestoreProgress } from './restore-progress.js'

const USAGE = 'tabir restore FILE [--withdrawals FOLDER]… [--accept-gap]'
const STATUS = { usage: 2, failed: 1, gap: 3 } as const
/** The file of the log that is written last. */
const SHARDS_AT_ONCE = 1024
const MANIFEST = 'appendonly.aof.manifest'

/**
 * Restores a backup into a data folder without data, and repeats later withdrawals. It works in a folder beside it and moves the result
 * into place at the end, so a service never sees half a restore. An interrupted restore continues.
 * @returns the exit status: 0; 1 on failure; 2 for wrong arguments; 3 if withdrawn signals may come back and `--accept-gap` was not given
 */
export async function restore(args: readonly string[]): Promise<number> {
  const options = optionsOf([...args])
  if (options === undefined) return failed(USAGE, STATUS.usage)
  try {
    const config = readConfig(process.env)
    const folder = resolve(config.dataDir, 'redis')
    if (config.redisUrl !== undefined || config.redisSocket !== undefined)
      return failed(
        'A backup is restored into the data folder of a private Redis: unset REDIS_URL and REDIS_SOCKET.',
        STATUS.usage,
      )
    if (existsSync(join(folder, 'appendonlydir')))
      return failed('This data folder has data. Move it away first; nothing was changed.', STATUS.usage)
    say(`Store: ${resolve(config.dataDir)}`)
    const keyring = keyringOf(config, false)
    const beside = resolve(config.dataDir, 'restoring')
    const lastOfLog = join(beside, 'redis', 'appendonlydir', MANIFEST)
    const aims = { fileId: await sealedFileId(options.file), target: folder, lastOfLog }
    const progress = await progressIn(beside, aims, (why) =>
      say(`An earlier restore in ${beside} cannot be continued: ${why}. It was removed; this restore begins at the start.`),
    )
    await writeLog(join(beside, 'redis'), options.file, keyring, progress)
    const logs = options.withdrawals ?? [config.withdrawalsDir ?? join(config.dataDir, 'withdrawals')]
    const restored = await orRemove(beside, () =>
      takeBack({ ...config, dataDir: beside }, keyring, logs, {
        progress,
        acceptsGap: options.acceptsGap,
      }),
    )
    printJson(restored.row)
    if (restored.isRefused) return failed(`${refusalOf(restored.row)} ${leftIn(beside)}`, STATUS.gap)
    await rm(folder, { recursive: true, force: true }) // at most empty, or with a socket that nobody listens on
    await moveIntoPlace(join(beside, 'redis'), folder)
    await rm(beside, { recursive: true, force: true })
    return 0
  } catch (error) {
    return failed(messageOf(error), STATUS.failed)
  }
}

interface Options {
  readonly file: string
  readonly withdrawals: string[] | undefined
  readonly acceptsGap: boolean
}

function optionsOf(args: string[]): Options | undefined {
  try {
    const { values, positionals } = parseArgs({
      args,
      options: { withdrawals: { type: 'string', multiple: true }, 'accept-gap': { type: 'boolean', default: false } },
      allowPositionals: true,
    })
    const [file, ...more] = positionals
    if (file === undefined || more.length > 0) return undefined
    return { file, withdrawals: values.withdrawals, acceptsGap: values['accept-gap'] }
  } catch {
    return undefined
  }
}

/** Writes what Redis reads at its start: a log with the backup as its base, and nothing after it. */
async function writeLog(folder: string, path: string, keyring: Keyring, progress: RestoreProgress): Promise<void> {
  if (progress.now.logIsWhole) return
  const log = join(folder, 'appendonlydir')
  await makeFolder(log)
  const base = await continueFile(join(log, 'appendonly.aof.1.base.rdb'))
  let start: Buffer = Buffer.alloc(0)
  let revision: number
  try {
    const head = await readBackup(path, keyring, async (piece) => {
      if (start.length < RDB_HEAD_BYTES) start = Buffer.concat([start, piece.subarray(0, RDB_HEAD_BYTES)])
      await base.write(piece)
    })
    revision = head.revision
    await base.end()
  } finally {
    await base.close()
  }
  await writeWholeFile(join(log, 'appendonly.aof.1.incr.aof'), [])
  const lines = ['file appendonly.aof.1.base.rdb seq 1 type b', 'file appendonly.aof.1.incr.aof seq 1 type i', '']
  await writeWholeFile(join(log, MANIFEST), [lines.join('\n')])
  await progress.note({ logIsWhole: true, backup: { revision, counts: rdbCounts(start) } })
}

interface Restored {
  readonly row: RestoredRow
  /** Withdrawals may be missing in the logs, and that was not accepted. Nothing was repeated, and nothing may be moved into place. */
  readonly isRefused: boolean
}

interface RestoredRow {
  readonly revision: number
  readonly images?: number
  readonly withdrawalsSince: 'known' | 'perhaps-incomplete' | 'unknown'
  /** The time up to which the logs are known to be complete. */
  readonly withdrawalsUntil: string | null
}

async function takeBack(
  config: Config,
  keyring: Keyring,
  logs: readonly string[],
  { progress, acceptsGap }: { readonly progress: RestoreProgress; readonly acceptsGap: boolean },
): Promise<Restored> {
  const server = await openOwnServer(config)
  try {
    const store = await openStore({ url: server.url, socket: server.socket, commandTimeoutMs: COMMAND_TIMEOUT_MS })
    try {
      await compare(store, progress, config.dataDir)
      await checkFormat(store)
      await checkRing(store, keyring)
      await loadSecrets(store, keyring)
      // Note the revision before raising it. A later run must not take withdrawals that are still to be repeated for older than the backup.
      const revision = progress.now.revision ?? (await lastRevision(store))
      await progress.note({ revision })
      const withdrawals = await withdrawnSince(logs, revision, (at) => markAt(store, at))
      const { isWhole, untilMs } = withdrawals
      const withdrawalsSince = isWhole ? 'known' : withdrawals.hasRecords ? 'perhaps-incomplete' : 'unknown'
      const withdrawalsUntil = untilMs === undefined ? null : new Date(untilMs).toISOString()
      const said = { withdrawalsSince, withdrawalsUntil } as const
      if (!isWhole && !acceptsGap) return { row: { revision, ...said }, isRefused: true }
      // Raise it first: withdrawals repeated here need higher revisions than the logs know, or the next restore would skip them.
      await store.write(raiseRevision, [keys.revision, keys.changes], [withdrawals.revision])
      const taken = await apply(store, keyring, withdrawals)
      await forgetHeartbeats(store)
      const about = { revision: String(revision) }
      await noteInAudit(store, { act: 'store.restored', by: 'operator', about, atMs: Date.now() })
      return { row: { revision, ...taken, ...said, images: await countImages(store) }, isRefused: false }
    } finally {
      await store.close()
    }
  } finally {
    await server.stop()
  }
}

/**
 * Checks that Redis loaded the backup: a Redis that finds no log starts empty.
 * @throws {Error} if it did not. The progress is removed, so that the next run begins at the start.
 */
async function compare(store: Store, { now }: RestoreProgress, beside: string): Promise<void> {
  const revision = await lastRevision(store)
  const least = now.revision ?? now.backup?.revision ?? 0
  const counts = now.revision === undefined ? now.backup?.counts : undefined // only the first time: then the data changes
  const found = await store.ask((redis) => redis.dbsize())
  const areAllThere = counts === undefined || (found <= counts.keys && found >= counts.keys - counts.expiring)
  if (areAllThere && revision >= least && (await hasSecrets(store))) return
  await rm(join(beside, 'progress.json'), { force: true })
  throw new Error(
    `Redis did not load the whole backup: ${found} keys at revision ${revision}; the backup has ${counts?.keys ?? 'more'} at ${least} or later. Nothing was restored. Run the same command again to begin at the start.`,
  )
}

/** In rounds, so that none waits longer than a command may on a busy machine. */
async function countImages(store: Store): Promise<number> {
  const shards = Array.from({ length: IMAGE_SHARDS }, (_, shard) => shard)
  let total = 0
  for (const some of inChunks(shards, SHARDS_AT_ONCE)) {
    const counts = await store.ask((redis) => Promise.all(some.map((shard) => redis.hlen(keys.images(shard)))))
    total += counts.reduce((sum, count) => sum + count, 0)
  }
  return total
}

function refusalOf({ revision, withdrawalsSince, withdrawalsUntil }: RestoredRow): string {
  const why =
    withdrawalsSince === 'unknown'
      ? `There is no log of withdrawals after the backup (revision ${revision}), so everything withdrawn since would match again.`
      : `The logs of withdrawals have a gap after the backup (revision ${revision})${withdrawalsUntil === null ? '' : `; they are complete until ${withdrawalsUntil}`}. Withdrawn images may match again.`
  return `${why} Nothing was restored. Name the folders of all apis with --withdrawals, restore a newer backup, or accept the gap with --accept-gap.`
}

function leftIn(beside: string): string {
  return `The same backup is not copied again: its data stays in ${beside}. Remove it if you do not restore it.`
}

/** Removes the copy if no repeat can restore it. */
async function orRemove<T>(beside: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    await rm(beside, { recursive: true, force: true })
    throw new Error(
      `The backup is of ${error.writtenBy} version of Tabir, and nothing converts it. Nothing was restored. Restore it with the version that made it, or restore a backup of this version.`,
    )
  }
}

/** Waits for the Redis of a killed restore to end. Its files must not be moved while it writes to them. */
async function openOwnServer(config: Config): Promise<RedisServer> {
  for (;;) {
    const server = await openRedisServer(config)
    if (server.owned) return server
    await server.exited
  }
}

/** Repeats withdrawals. Images of a case are erased only when the case ends, so the case has ended. Running it twice changes nothing. */
async function apply(store: Store, keyring: Keyring, withdrawals: Withdrawals) {
  const images = createImageStore(store, keyring)
  const cases = createCaseStore(store)
  const apiKeys = createApiKeyStore(store)
  const nowMs = Date.now()
  let casesEnded = 0
  let signalsRemoved = 0
  for (const id of withdrawals.images) {
    const [image] = await images.facts([id])
    if (image === undefined) continue
    if (image.caseId !== undefined && (await cases.end(image.caseId, 'withdrawn', nowMs)) !== undefined) casesEnded++
    else if ((await images.erase(id)) !== undefined) signalsRemoved++
  }
  const keysRevoked: string[] = []
  for (const id of withdrawals.keys) if ((await apiKeys.revoke(id, nowMs)) !== undefined) keysRevoked.push(id)
  return { casesEnded, signalsRemoved, keysRevoked }
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}
