// The whole api over a real Redis, in this process.

import { randomBytes, randomInt, type ScryptOptions } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import { buildApp } from '../../src/app/app.js'
import type { TrustLimits } from '../../src/app/service-options.js'
import { openServices, type Services } from '../../src/app/services.js'
import type { VideoLimits } from '../../src/domain/media/video-limits.js'
import { MAX_VIDEO_BYTES } from '../../src/domain/media/video-limits.js'
import { type OrgKind, SCOPES, type Scope } from '../../src/domain/organisations/access.js'
import { Problem } from '../../src/domain/problem.js'
import type { Exchange, Reconciler } from '../../src/exchange/exchange-config.js'
import { type Exposure, type LimitName, SERVER_LIMITS, type ServerLimits } from '../../src/http/limit-table.js'
import { UNDESCRIBED_PROBLEM } from '../../src/http/plugins/problem-answers.js'
import type { UploadLimits } from '../../src/http/upload.js'
import type { ServerCertificate } from '../../src/net/certificate.js'
import { DEFAULT_FRESHNESS, type ReplicaFreshness } from '../../src/services/index/readiness.js'
import type { Hashing } from '../../src/services/intake/hashing.js'
import type { FetchFrom } from '../../src/services/intake/picture-fetching.js'
import { createApiKey } from '../../src/services/keys/access.js'
import type { Admission } from '../../src/services/load/admission.js'
import type { ProbingMode } from '../../src/services/matching/probing/probing-guard.js'
import type { FeedDelay } from '../../src/store/exchange/feed-batches.js'
import { createApiKeyStore } from '../../src/store/organisations/api-keys.js'
import { openStore } from '../../src/store/redis/client.js'
import { type Keyring, makeKeyring } from '../../src/store/sealing/seal.js'
import { loadSite, type SiteSettings } from '../../src/web/site.js'
import { hashingPatiently, noting } from './patiently.js'
import { PATIENCE_MS, startRedis, storeAt, type TestRedis } from './redis.js'

/** Runs functions at the end: a test, or a program that tests. */
export type Ending = Pick<Test, 'teardown'>

export interface TestService {
  readonly app: FastifyInstance
  readonly services: Services
  readonly redis: TestRedis
  /** Everything that was logged. */
  readonly log: string[]
}

export interface TestServiceOptions {
  readonly retentionMs?: number
  readonly redis?: TestRedis
  /** With a worker process that hashes pictures and videos. */
  readonly workers?: boolean
  /** The address of another Redis. */
  readonly redisUrl?: string
  readonly sealKey?: Buffer
  readonly keyring?: (isFirstUse: boolean) => Keyring
  readonly uploadLimits?: Partial<UploadLimits>
  readonly hydrated?: boolean
  readonly logLevel?: string
  readonly trustLimits?: Partial<TrustLimits>
  readonly extendedProtection?: boolean
  readonly now?: () => number
  /** The store's clock; by default `now`. */
  readonly storeNow?: () => number
  readonly country?: string
  readonly exchanges?: readonly Exchange[]
  readonly reconcilers?: readonly Reconciler[]
  readonly withdrawalsFolder?: string
  readonly auditKeepDays?: number
  readonly logSample?: number
  readonly exposure?: Exposure
  readonly maxOf?: Partial<Readonly<Record<LimitName, number>>>
  readonly serverLimits?: Partial<ServerLimits>
  readonly admission?: Admission
  readonly corsOrigins?: readonly string[]
  readonly trustedProxies?: readonly string[]
  readonly tls?: ServerCertificate
  readonly handoffCertificate?: ServerCertificate
  readonly probing?: ProbingMode
  readonly freshness?: ReplicaFreshness
  /** Called when the hashes of a picture have arrived, before anything is done with them. */
  readonly onHashed?: (...of: Parameters<Hashing['hash']>) => void
  /** Replaces the workers. */
  readonly hashing?: Hashing
  readonly webhookOrigins?: ReadonlySet<string>
  readonly fetchFrom?: FetchFrom
  readonly maxWatchesPerOrg?: number
  readonly site?: Partial<SiteSettings>
  readonly stretching?: ScryptOptions
  readonly feedDelay?: FeedDelay
  readonly videoLimits?: Partial<VideoLimits>
}

/** Retention of cases in tests. */
export const RETENTION_MS = 86_400_000

/** The seal key, unless a test sets another. */
export const SEAL_KEY = Buffer.alloc(32, 7)

const UPLOAD_LIMITS: UploadLimits = { maxImageBytes: 20 << 20, maxImages: 20, maxInFlightBytes: 256 << 20 }

/** Admits all: many requests of a test on a busy machine are no overload. */
const EVERYBODY: Admission = { shortageFor: () => undefined }

/** Tolerates pauses of some seconds on a busy machine. Other tests check the real limits. */
export const PATIENT: ReplicaFreshness = { ...DEFAULT_FRESHNESS, staleAfterMs: PATIENCE_MS, reachTimeoutMs: PATIENCE_MS }

/** The lowest cost, because a thousand cases would take a minute. Other tests check the real cost of a PIN. */
const LIGHT: ScryptOptions = { N: 2, r: 1, p: 1 }

/** The feed sends additions at once. Other tests check the delay. */
const NO_FEED_DELAY: FeedDelay = { minMs: 0, maxMs: 0 }

const SITE: SiteSettings = {
  exitUrl: 'https://exit.example/',
  country: 'MY',
  contact: { name: 'Helpers', link: 'https://helpers.example/' },
  ...{ operator: undefined, retentionDays: 365, platformNames: [], noticeContacts: [], banner: '' },
  maxImageBytes: UPLOAD_LIMITS.maxImageBytes,
  maxImages: UPLOAD_LIMITS.maxImages,
  maxVideoBytes: MAX_VIDEO_BYTES,
  offersExtendedProtection: false,
  unread: [],
}

const PUBLIC = fileURLToPath(new URL('../../public/', import.meta.url))
const siteWith = (settings: Partial<SiteSettings>) => loadSite(PUBLIC, { ...SITE, ...settings })
let usual: ReturnType<typeof siteWith> | undefined

/** Read once, because it is the same for every service and takes a twelfth of its start. */
function usualSite() {
  usual ??= siteWith({})
  return usual
}

export async function startService(
  t: Ending & Partial<Pick<Test, 'fail'>>,
  options: TestServiceOptions = {},
): Promise<TestService> {
  const redis = options.redis ?? (await startRedis(t, { workers: options.workers === true }))
  const log: string[] = []
  const services = await openServices({
    redis: {
      ...(options.redisUrl === undefined
        ? { url: undefined, socket: redis.socket }
        : { url: options.redisUrl, socket: undefined }),
      // The store gets as much time as the replica.
      ...(options.freshness === undefined && { commandTimeoutMs: PATIENCE_MS }),
    },
    keyring: options.keyring ?? (() => makeKeyring([options.sealKey ?? SEAL_KEY])),
    handoff: { host: '127.0.0.1', port: 0, announcedHost: '127.0.0.1', certificate: options.handoffCertificate },
    retentionMs: options.retentionMs ?? RETENTION_MS,
    exchanges: options.exchanges ?? [],
    reconcilers: options.reconcilers ?? [],
    env: 'test',
    snapshots: undefined,
    withdrawalsFolder: options.withdrawalsFolder,
    folders: new Map([['data', redis.folder]]),
    ...(options.videoLimits !== undefined && { videoLimits: options.videoLimits }),
    ...(options.auditKeepDays !== undefined && { auditKeepDays: options.auditKeepDays }),
    ...(options.probing !== undefined && { probing: options.probing }),
    trustLimits: { maxImagesPerCase: 10_000, maxSignalsPerOrgPerDay: 0, proofRounds: 0, ...options.trustLimits },
    webhookOrigins: options.webhookOrigins ?? new Set(),
    fetchFrom: options.fetchFrom,
    extendedProtection: options.extendedProtection ?? false,
    freshness: options.freshness ?? PATIENT,
    stretching: options.stretching ?? LIGHT,
    feedDelay: options.feedDelay ?? NO_FEED_DELAY,
    maxWatchesPerOrg: options.maxWatchesPerOrg ?? 10_000,
    now: options.now ?? (() => Date.now()),
    // The store uses the clock of the test, too, unless the test gives it another one.
    ...(options.now !== undefined && clocksOf(options.now, options.storeNow)),
    clock: () => performance.now(),
    onError: (error) => log.push(String(error)),
    onAuditHead: () => {},
  })
  const app = await buildApp({
    services: { ...services, hashing: options.hashing ?? noting(hashingPatiently(services.hashing), options.onHashed) },
    site: options.site === undefined ? usualSite() : siteWith(options.site),
    uploadLimits: { ...UPLOAD_LIMITS, ...options.uploadLimits },
    country: options.country,
    ...(options.exposure !== undefined && { exposure: options.exposure }),
    ...(options.maxOf !== undefined && { maxOf: options.maxOf }),
    ...(options.corsOrigins !== undefined && { corsOrigins: options.corsOrigins }),
    ...(options.trustedProxies !== undefined && { trustedProxies: options.trustedProxies }),
    tls: options.tls,
    admission: options.admission ?? EVERYBODY,
    serverLimits: { ...SERVER_LIMITS, ...options.serverLimits },
    logLevel: options.logLevel ?? 'debug',
    ...(options.logSample !== undefined && { logSample: options.logSample }),
    logStream: {
      write(line) {
        log.push(line)
        if (line.includes(UNDESCRIBED_PROBLEM)) t.fail?.(line)
      },
    },
  })
  t.teardown(async () => {
    await app.close()
    await services.close()
  })
  if (options.hydrated !== false) await services.hydrate()
  return { app, services, redis, log }
}

function clocksOf(now: () => number, storeNow = now) {
  return { dueTime: async () => Math.min(now(), storeNow()), storeTime: async () => storeNow() }
}

/** An API key, and the header that shows it. */
export async function keyFor(
  { redis, services }: TestService,
  org: string,
  scopes: readonly Scope[] = SCOPES,
  kind: OrgKind = 'platform',
) {
  const store = await openStore(storeAt(redis.socket))
  try {
    const made = await createApiKey(createApiKeyStore(store), {
      org,
      kind,
      scopes: new Set(scopes),
      env: 'test',
      nowMs: Date.now(),
    })
    await until(() => services.identify(made.key) !== undefined)
    return { ...made, headers: { authorization: `Bearer ${made.key}` } }
  } finally {
    await store.close()
  }
}

export async function openCase(app: FastifyInstance, choices: { readonly extendedProtection?: boolean } = {}) {
  const response = await app.inject({ method: 'POST', url: '/v1/cases', payload: { adult: true, ...choices } })
  const opened = response.json<{ caseNumber: string; pin: string; recoveryCode: string; token: string }>()
  const { caseNumber, pin, recoveryCode, token } = opened
  return {
    caseNumber,
    pin,
    recoveryCode,
    token,
    url: `/v1/cases/${caseNumber}`,
    headers: { authorization: `Bearer ${token}` },
  }
}

/**
 * Waits for a condition that another process or connection will fulfil, not for a time. After a pause of a second, a service answers that it must hear
 * from its store first: then the condition is checked again.
 */
export async function until(condition: () => boolean | Promise<boolean>, timeoutMs = 300_000): Promise<void> {
  const end = performance.now() + timeoutMs
  while (!(await hasHappened(condition))) {
    if (performance.now() > end) throw new Error('did not happen in time')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

async function hasHappened(condition: () => boolean | Promise<boolean>): Promise<boolean> {
  try {
    return await condition()
  } catch (error) {
    if (error instanceof Problem && error.retryAfterS !== undefined) return false
    throw error
  }
}

/** The problem code of a refusal; `undefined` if the body is no problem. */
export function codeOf({ body }: { readonly body: string }): string | undefined {
  return /^\{"type":"\/problems\/([a-z-]+)"/.exec(body)?.[1]
}

export function randomHashText(): string {
  return randomBytes(32).toString('hex')
}

/** The hash with `count` evenly distributed bits flipped. */
export function withBitsFlipped(hash: string, count: number): string {
  const bytes = Buffer.from(hash, 'hex')
  for (let i = 0; i < count; i++) {
    const bit = (i * 37) % 256
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  }
  return bytes.toString('hex')
}

/** That many random bits, different in each call. */
export function randomlyFlipped(hash: string, count: number): string {
  const bytes = Buffer.from(hash, 'hex')
  const bits = new Set<number>()
  while (bits.size < count) bits.add(randomInt(256))
  for (const bit of bits) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return bytes.toString('hex')
}

/** A case with one hash, as its owner sees it. */
export async function submitted({ app }: TestService) {
  const her = await openCase(app)
  const hash = randomHashText()
  const payload = { images: [{ signals: [{ type: 'pdq', hash, quality: 90 }] }] }
  const { statusCode } = await app.inject({ method: 'POST', url: `${her.url}/hashes`, payload, headers: her.headers })
  if (statusCode !== 201) throw new Error('a case takes hashes')
  return { ...her, hash }
}
