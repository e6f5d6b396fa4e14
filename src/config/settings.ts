// Settings from variables: which exclude or require each other, and defaults that depend on others.

import type { z } from 'zod'
import { FEED_DELAY } from '../store/exchange/feed-batches.js'
import { MINUTE_MS, Variables } from './variables.js'

/** With public exposure one program must not register tens of thousands of pictures within minutes. */
const OF_EXPOSURE: Readonly<
  Record<
    'private' | 'public',
    {
      readonly proofRounds: number
      readonly maxImagesPerNewCase: number | undefined
      readonly maxUnattestedHashesPerDay: number | undefined
    }
  >
> = {
  private: { proofRounds: 0, maxImagesPerNewCase: undefined, maxUnattestedHashesPerDay: undefined },
  public: { proofRounds: 1000, maxImagesPerNewCase: 200, maxUnattestedHashesPerDay: 10_000_000 },
}

const USUAL_IN_FLIGHT_BYTES = 256 << 20

export const Settings = Variables.refine((e) => e.REDIS_URL === undefined || e.REDIS_SOCKET === undefined, {
  path: ['REDIS_SOCKET'],
  error: 'must not be set together with REDIS_URL',
})
  .refine((e) => e.TABIR_SEAL_KEYS === undefined || e.TABIR_SEAL_KEY_FILE === undefined, {
    path: ['TABIR_SEAL_KEY_FILE'],
    error: 'must not be set together with TABIR_SEAL_KEYS',
  })
  .refine((e) => (e.TABIR_CONTACT_NAME === undefined) === (e.TABIR_CONTACT_LINK === undefined), {
    path: ['TABIR_CONTACT_NAME'],
    error: 'must be set together with TABIR_CONTACT_LINK',
  })
  .refine((e) => [0, 4].includes(operatorFacts(e).length), {
    path: ['TABIR_OPERATOR_NAME'],
    error: 'must be set together with TABIR_OPERATOR_LINK, TABIR_OPERATOR_COUNTRY and TABIR_OPERATOR_AUTHORITY',
  })
  .refine((e) => e.TABIR_EXPOSURE === 'private' || operatorFacts(e).length > 0, {
    path: ['TABIR_OPERATOR_NAME'],
    error:
      'must be set where TABIR_EXPOSURE is public, with TABIR_OPERATOR_LINK, TABIR_OPERATOR_COUNTRY and TABIR_OPERATOR_AUTHORITY: people must be told who runs the service before they register anything',
  })
  .refine((e) => e.TABIR_EXPOSURE === 'private' || e.TABIR_TRUST_PROXY !== undefined, {
    path: ['TABIR_TRUST_PROXY'],
    error:
      'must be set where TABIR_EXPOSURE is public: the addresses of the proxies in front, or none where callers connect directly. Behind a proxy that is not named all callers count as one, and one of them can use up the limits of all',
  })
  .refine((e) => (e.TABIR_TLS_CERT === undefined) === (e.TABIR_TLS_KEY === undefined), {
    path: ['TABIR_TLS_KEY'],
    error: 'must be set together with TABIR_TLS_CERT',
  })
  .refine((e) => (e.TABIR_HANDOFF_TLS_CERT === undefined) === (e.TABIR_HANDOFF_TLS_KEY === undefined), {
    path: ['TABIR_HANDOFF_TLS_KEY'],
    error: 'must be set together with TABIR_HANDOFF_TLS_CERT',
  })
  .refine((e) => (e.TABIR_MAX_INFLIGHT_BYTES ?? Number.POSITIVE_INFINITY) >= e.TABIR_MAX_IMAGE_BYTES, {
    path: ['TABIR_MAX_INFLIGHT_BYTES'],
    error: 'must be at least TABIR_MAX_IMAGE_BYTES: an image of that size would never be taken',
  })
  .transform((e) => ({
    host: e.TABIR_HOST,
    port: e.TABIR_PORT,
    dataDir: e.TABIR_DATA_DIR,
    redisUrl: e.REDIS_URL,
    redisSocket: e.REDIS_SOCKET,
    redisServerBin: e.TABIR_REDIS_BIN,
    npmRedis: e.TABIR_NPM_REDIS,
    searchPath: e.PATH,
    handoffHost: e.TABIR_HANDOFF_HOST,
    handoffPort: e.TABIR_HANDOFF_PORT,
    handoffTlsFiles:
      e.TABIR_HANDOFF_TLS_CERT === undefined || e.TABIR_HANDOFF_TLS_KEY === undefined
        ? undefined
        : { cert: e.TABIR_HANDOFF_TLS_CERT, key: e.TABIR_HANDOFF_TLS_KEY },
    handoffCaFile: e.TABIR_HANDOFF_CA,
    maxImageBytes: e.TABIR_MAX_IMAGE_BYTES,
    maxImagesPerRequest: e.TABIR_MAX_IMAGES_PER_REQUEST,
    maxInFlightBytes: e.TABIR_MAX_INFLIGHT_BYTES ?? Math.max(USUAL_IN_FLIGHT_BYTES, e.TABIR_MAX_IMAGE_BYTES),
    hashers: e.TABIR_HASHERS,
    hasherMemoryMb: e.TABIR_HASHER_MEMORY_MB,
    maxInFlightVideoBytes: e.TABIR_MAX_INFLIGHT_VIDEO_BYTES,
    videoHashers: e.TABIR_VIDEO_HASHERS,
    ffmpegBin: e.TABIR_FFMPEG,
    heic: e.TABIR_HEIC,
    sealKeys: e.TABIR_SEAL_KEYS,
    sealKeyFile: e.TABIR_SEAL_KEY_FILE,
    withdrawalsDir: e.TABIR_WITHDRAWALS_DIR,
    snapshotIntervalS: e.TABIR_SNAPSHOT_INTERVAL_S,
    caseRetentionDays: e.TABIR_CASE_RETENTION_DAYS,
    auditKeepDays: e.TABIR_AUDIT_KEEP_DAYS,
    withdrawalsKeepDays: e.TABIR_WITHDRAWALS_KEEP_DAYS,
    eraseIntervalS: e.TABIR_ERASE_INTERVAL_S,
    maxImagesPerCase: e.TABIR_MAX_IMAGES_PER_CASE,
    maxImagesPerNewCase: e.TABIR_MAX_IMAGES_PER_NEW_CASE ?? OF_EXPOSURE[e.TABIR_EXPOSURE].maxImagesPerNewCase,
    maxUnattestedHashesPerDay:
      e.TABIR_MAX_UNATTESTED_HASHES_PER_DAY ?? OF_EXPOSURE[e.TABIR_EXPOSURE].maxUnattestedHashesPerDay,
    maxSignalsPerOrgPerDay: e.TABIR_MAX_SIGNALS_PER_ORG_PER_DAY,
    maxWatchesPerOrg: e.TABIR_MAX_WATCHES_PER_ORG,
    proofRounds: e.TABIR_PROOF_ROUNDS ?? OF_EXPOSURE[e.TABIR_EXPOSURE].proofRounds,
    extendedProtection: e.TABIR_EXTENDED_PROTECTION,
    pageExitUrl: e.TABIR_PAGE_EXIT_URL,
    country: e.TABIR_COUNTRY,
    operator: operatorOf(e),
    platformNames: e.TABIR_PLATFORM_NAMES,
    noticeContacts: e.TABIR_NOTICE_CONTACTS,
    pageBanner: e.TABIR_PAGE_BANNER,
    contactName: e.TABIR_CONTACT_NAME,
    contactLink: e.TABIR_CONTACT_LINK,
    webhookOrigins: new Set(e.TABIR_WEBHOOK_ORIGINS.map((origin) => new URL(origin).origin)),
    fetchFrom: fetchFrom(e.TABIR_FETCH_FROM),
    exchangesFile: e.TABIR_EXCHANGES_FILE,
    apiUrl: e.TABIR_URL,
    apiKey: e.TABIR_API_KEY,
    corsOrigins: e.TABIR_CORS_ORIGINS,
    trustedProxies: e.TABIR_TRUST_PROXY,
    tlsFiles:
      e.TABIR_TLS_CERT === undefined || e.TABIR_TLS_KEY === undefined
        ? undefined
        : { cert: e.TABIR_TLS_CERT, key: e.TABIR_TLS_KEY },
    exposure: e.TABIR_EXPOSURE,
    feedDelay: { ...FEED_DELAY, maxMs: e.TABIR_FEED_DELAY_MINUTES * MINUTE_MS },
    probing: e.TABIR_PROBING ?? (e.TABIR_EXPOSURE === 'public' ? ('limit' as const) : ('notify' as const)),
    gateTier: e.TABIR_GATE_TIERS,
    maxQueriesPerOrgPerDay: e.TABIR_MAX_QUERIES_PER_ORG_PER_DAY,
    tracesUrl: e.TABIR_TRACES_URL,
    logLevel: e.TABIR_LOG_LEVEL,
    logSample: e.TABIR_LOG_SAMPLE,
    env: e.TABIR_ENV,
  }))

type Values = z.infer<typeof Variables>

function operatorFacts(e: Values): string[] {
  const all = [e.TABIR_OPERATOR_NAME, e.TABIR_OPERATOR_LINK, e.TABIR_OPERATOR_COUNTRY, e.TABIR_OPERATOR_AUTHORITY]
  return all.filter((each) => each !== undefined)
}

function operatorOf(e: Values) {
  const [name, link, country, authority] = operatorFacts(e)
  if (name === undefined || link === undefined || country === undefined || authority === undefined) return undefined
  return { name, link, country, authority }
}

/** Listed origins may be anywhere; `public` is the rest of the public internet. @returns `undefined` if nothing may be fetched. */
function fetchFrom(parts: readonly string[]) {
  if (parts.length === 0) return undefined
  const origins = parts.filter((part) => part !== 'public').map((part) => new URL(part).origin)
  return { reach: parts.includes('public') ? ('public' as const) : ('trusted' as const), trusted: new Set(origins) }
}
