// Facts that `tabir doctor` judges. Collecting them changes nothing and reads no secret.

import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import type { Config } from '../../boot/config.js'
import type { IsolationLayer } from '../../domain/isolation-layers.js'
import { jsonOrUndefined } from '../../domain/json.js'
import { diskRoom, nearestFolder } from '../../store/embedded/disk-room.js'
import type { Store } from '../../store/redis/client.js'
import { countAlive, countLacking, type ProcessCount } from '../../store/redis/heartbeats.js'
import { infoField } from '../../store/redis/redis-load.js'
import { parseRedisUrl } from '../../store/redis/redis-url.js'
import { areKeysBesideData, sealKeyPath } from '../../store/sealing/seal-keys.js'
import { readLogStatus } from '../../store/upkeep/withdrawal-records.js'
import { outboxAgeMs } from '../../store/webhooks/outbox.js'
import { createWaitingEventStore } from '../../store/webhooks/waiting-events.js'

/** A field is `undefined` if it cannot be determined. */
export interface HostFacts {
  readonly nodeVersion: string
  /** Why the image decoders are too old or do not load; empty if they are fine. */
  readonly decoderError: string
  /** Path of the program that decodes videos, or why it cannot be used; neither if there is none. */
  readonly ffmpeg: z.infer<typeof Ffmpeg>
  readonly overcommitMemory: number | undefined
  readonly hasSwap: boolean | undefined
}

export interface FileFacts {
  readonly dataDirMode: number | undefined
  readonly freeBytes: number | undefined
  readonly sizeBytes: number | undefined
  /** `undefined` if the keys come from the environment. */
  readonly sealKeyFile: { readonly mode: number | undefined; readonly isBesideData: boolean } | undefined
  readonly withdrawals: {
    readonly isOnDisk: boolean
    readonly sharesDisk: boolean
    /** Whether withdrawals are missing in the log because they could not be written. */
    readonly isBehind?: boolean
    readonly freeBytes?: number | undefined
  }
}

export interface RedisFacts {
  readonly kind: 'Redis' | 'Valkey'
  readonly version: string
  /** Whether Tabir runs this Redis itself. */
  readonly isPrivate: boolean
  /** How it is connected: `plain` can be read by others on the network. */
  readonly line: 'socket' | 'loopback' | 'tls' | 'plain'
  /** Settings by name, as far as Redis answers them. */
  readonly settings: Readonly<Record<string, string>>
  readonly usedBytes: number
  readonly maxBytes: number
  readonly logBytes: number
  readonly isLogSound: boolean
  /** Clock of Redis minus our clock. */
  readonly clockAheadMs: number
  readonly workers: ProcessCount
  readonly messengers: ProcessCount
  /** Number of workers that lack each isolation layer of the decoding child processes. */
  readonly lacking: Readonly<Record<IsolationLayer, number>>
  /** Age of the oldest event that no delivery was made for; 0 if there is none. */
  readonly outboxMs: number
  readonly eventsWaiting: number
}

const SETTINGS = [
  'appendonly',
  'appendfsync',
  'maxmemory-policy',
  'slowlog-log-slower-than',
  'commandlog-request-larger-than',
  'commandlog-reply-larger-than',
  'crash-log-enabled',
  'hash-max-listpack-entries',
  'hash-max-listpack-value',
  'stream-node-max-bytes',
] as const

export async function hostFacts(config: Config): Promise<HostFacts> {
  const text = (path: string) => readFile(path, 'utf8').catch(() => undefined)
  const overcommit = await text('/proc/sys/vm/overcommit_memory')
  const swaps = await text('/proc/swaps')
  return {
    nodeVersion: process.versions.node,
    ...(await decoderFacts(config)),
    overcommitMemory: overcommit === undefined ? undefined : Number(overcommit),
    hasSwap: swaps === undefined ? undefined : swaps.trim().split('\n').length > 1,
  }
}

export async function fileFacts(config: Config): Promise<FileFacts> {
  const dataDir = resolve(config.dataDir)
  const withdrawals = resolve(config.withdrawalsDir ?? join(dataDir, 'withdrawals'))
  const modeOf = async (path: string) => (await stat(path).catch(() => undefined))?.mode
  const keyFile = resolve(sealKeyPath(config))
  const disk = await diskRoom(dataDir)
  const device = async (path: string) => (await stat(nearestFolder(path)).catch(() => undefined))?.dev
  return {
    dataDirMode: await modeOf(dataDir),
    freeBytes: disk?.freeBytes,
    sizeBytes: disk?.sizeBytes,
    sealKeyFile:
      config.sealKeys === undefined ? { mode: await modeOf(keyFile), isBesideData: areKeysBesideData(config) } : undefined,
    withdrawals: {
      isOnDisk: existsSync(withdrawals),
      sharesDisk: (await device(withdrawals)) === (await device(dataDir)),
      isBehind: (await readLogStatus(withdrawals))?.isWhole === false,
      freeBytes: (await diskRoom(withdrawals))?.freeBytes,
    },
  }
}

/** @throws {Problem} store-unavailable */
export async function redisFacts(config: Config, store: Store): Promise<RedisFacts> {
  const info = await store.ask((redis) => redis.info())
  const field = (name: string) => infoField(info, name)
  const settings: Record<string, string> = {}
  for (const name of SETTINGS) {
    const value = await store.ask((redis) => redis.config('GET', name).catch(() => [])) // CONFIG may be denied
    if (Array.isArray(value) && typeof value[1] === 'string') settings[name] = value[1]
  }
  // Hosted servers often deny CONFIG. INFO has the two most important settings.
  const isLogOn = field('aof_enabled')
  if (isLogOn !== undefined) settings['appendonly'] ??= isLogOn === '1' ? 'yes' : 'no'
  const policy = field('maxmemory_policy')
  if (policy !== undefined) settings['maxmemory-policy'] ??= policy
  const askedAtMs = Date.now()
  const [seconds, microseconds] = await store.ask((redis) => redis.time())
  const meanMs = (askedAtMs + Date.now()) / 2
  const valkey = field('valkey_version')
  return {
    kind: valkey === undefined ? 'Redis' : 'Valkey',
    version: valkey ?? field('redis_version') ?? '0',
    isPrivate: config.redisUrl === undefined && config.redisSocket === undefined,
    line: lineTo(config.redisUrl),
    settings,
    usedBytes: Number(field('used_memory') ?? 0),
    maxBytes: Number(field('maxmemory') ?? 0),
    logBytes: Number(field('aof_current_size') ?? 0),
    isLogSound: field('aof_last_write_status') !== 'err' && field('aof_last_bgrewrite_status') !== 'err',
    clockAheadMs: Math.round(Number(seconds) * 1000 + Number(microseconds) / 1000 - meanMs),
    workers: await countAlive(store, 'workers'),
    messengers: await countAlive(store, 'messengers'),
    lacking: await countLacking(store),
    outboxMs: await outboxAgeMs(store),
    eventsWaiting: await createWaitingEventStore(store).count(),
  }
}

function lineTo(url: string | undefined): RedisFacts['line'] {
  if (url === undefined) return 'socket'
  if (url.startsWith('rediss')) return 'tls'
  const { address } = parseRedisUrl(url)
  const hosts = address.kind === 'server' ? [new URL(address.url).hostname] : address.sentinels.map(({ host }) => host)
  return hosts.every((host) => ['localhost', '127.0.0.1', '[::1]', '::1'].includes(host)) ? 'loopback' : 'plain'
}

const Ffmpeg = z.object({ binary: z.string().optional(), error: z.string().optional() })

/** Runs in a child process: decoders that fail to load must not end this one. */
function decoderFacts({ heic, searchPath, ffmpegBin }: Config): Promise<Pick<HostFacts, 'decoderError' | 'ffmpeg'>> {
  const entry = fileURLToPath(new URL('../../../workers/decoders.js', import.meta.url))
  const args = [entry, `--heic=${heic}`, searchPath, ...(ffmpegBin === undefined ? [] : [ffmpegBin])]
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env: {}, timeout: 20_000 }, (error, stdout, stderr) => {
      const why = stderr.trim().split('\n').slice(0, 5).join('; ') || 'they do not load'
      resolve({ decoderError: error === null ? '' : why, ffmpeg: Ffmpeg.safeParse(jsonOrUndefined(stdout)).data ?? {} })
    })
  })
}
