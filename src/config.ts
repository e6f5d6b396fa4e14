// What an operator may set. The only reader of the environment: everything else gets its numbers from here, as arguments.

import { availableParallelism } from 'node:os'
import { z } from 'zod'
import { isProxyNetwork } from './services/networks.js'
import { PROBING_MODES } from './services/probing-guard.js'
import { FEED_DELAY } from './store/feed-batches.js'

const MiB = 1024 * 1024

const MINUTE_MS = 60_000

/** One line per variable, its default, and the reason that a wrong one is answered with. Reasons never repeat a value. */
/** Where anybody may open a case, one program must not register tens of thousands of pictures in minutes. */
const OF_EXPOSURE: Readonly<
  Record<'private' | 'public', { readonly proofRounds: number; readonly maxImagesPerNewCase: number | undefined }>
> = {
  private: { proofRounds: 0, maxImagesPerNewCase: undefined },
  public: { proofRounds: 1000, maxImagesPerNewCase: 200 },
}

const Variables = z.object({
  TABIR_HOST: text('must name the address to listen on').default('127.0.0.1'),
  TABIR_PORT: wholeNumber(0, 65_535).default(8080),
  TABIR_DATA_DIR: text('must name a folder').default('./data'),
  REDIS_URL: z
    .string()
    .regex(
      /^rediss?(\+sentinel|\+cluster)?:\/\/\S+$/,
      'must start with redis://, rediss://, redis+sentinel:// or redis+cluster://',
    )
    .optional(),
  REDIS_SOCKET: text('must be the path of a unix socket').optional(),
  TABIR_REDIS_BIN: text('must be the path of a redis-server or valkey-server').optional(),
  TABIR_NPM_REDIS: z.enum(['on', 'off'], { error: 'must be on or off' }).default('on'),
  NODE_OPTIONS: z
    .string()
    .regex(
      // Node takes an underscore for a hyphen.
      /^(?!.*--(report|diagnostic|heapsnapshot|heap[-_]prof|cpu[-_]prof|prof\b|inspect|abort[-_]on|tls[-_]keylog))/,
      'must not ask for reports, snapshots, profiles, dumps, keys of TLS or the inspector: pictures and keys are in memory',
    )
    .optional(),
  NODE_TLS_REJECT_UNAUTHORIZED: z
    .string()
    .regex(/^1$/, 'must not switch off the verification of certificates: Redis, feeds and webhooks go by it')
    .optional(),
  PATH: z.string().default(''), // the operating system's: where a Redis is looked for
  TABIR_HANDOFF_HOST: text('must name the address to listen on').default('127.0.0.1'),
  TABIR_HANDOFF_PORT: wholeNumber(0, 65_535).default(0),
  TABIR_HANDOFF_TLS_CERT: text('must be the path of a file with certificates in PEM').optional(),
  TABIR_HANDOFF_TLS_KEY: text('must be the path of a file with a private key in PEM').optional(),
  TABIR_HANDOFF_CA: text('must be the path of a file with certificates in PEM').optional(),
  TABIR_MAX_IMAGE_BYTES: wholeNumber(1, 1024 * MiB).default(20 * MiB),
  TABIR_MAX_IMAGES_PER_REQUEST: wholeNumber(1, 1000).default(20),
  TABIR_MAX_INFLIGHT_BYTES: wholeNumber(1, 64 * 1024 * MiB).optional(),
  TABIR_HASHERS: wholeNumber(1, 256).default(() => availableParallelism()),
  TABIR_HASHER_MEMORY_MB: wholeNumber(64, 65_536).default(1536),
  TABIR_SEAL_KEYS: z
    .string()
    .trim()
    .regex(/^[\w.-]+:[\w+/-]+=*(,[\w.-]+:[\w+/-]+=*)*$/, 'must be id:base64, or several of them with commas between')
    .optional(),
  TABIR_SEAL_KEY_FILE: text('must be the path of the file with the seal keys').optional(),
  TABIR_WITHDRAWALS_DIR: text('must name a folder').optional(),
  TABIR_SNAPSHOT_EVERY_S: wholeNumber(0, 86_400).default(900),
  TABIR_CASE_RETENTION_DAYS: wholeNumber(1, 36_500).default(365),
  TABIR_ERASE_EVERY_S: wholeNumber(1, 86_400).default(900),
  TABIR_MAX_IMAGES_PER_CASE: wholeNumber(1, 1_000_000).default(10_000),
  TABIR_MAX_IMAGES_PER_NEW_CASE: wholeNumber(1, 1_000_000).optional(),
  TABIR_MAX_SIGNALS_PER_ORG_PER_DAY: wholeNumber(0, 1_000_000_000).default(0),
  TABIR_MAX_WATCHES_PER_ORG: wholeNumber(0, 10_000_000).default(250_000),
  TABIR_PROOF_ROUNDS: wholeNumber(0, 100_000).optional(),
  TABIR_EXTENDED_PROTECTION: z.enum(['on', 'off'], { error: 'must be on or off' }).default('off'),
  TABIR_COUNTRY: z
    .string()
    .regex(/^[A-Z]{2}$/, 'must be a country code of two capital letters')
    .optional(),
  TABIR_PAGE_EXIT_URL: z
    .string()
    .regex(/^https:\/\/\S+$/, 'must start with https://')
    .default('https://www.wikipedia.org/'),
  TABIR_CONTACT_NAME: text('must name an organisation').optional(),
  TABIR_CONTACT_LINK: z
    .string()
    .regex(/^(https:\/\/|mailto:|tel:)\S+$/, 'must start with https://, mailto: or tel:')
    .optional(),
  TABIR_WEBHOOK_ORIGINS: listOf(
    isOrigin,
    'must be origins such as http://10.0.0.5:8000, without user and password, with commas between',
  ),
  TABIR_FETCH_FROM: listOf(
    (text) => text === 'public' || isOrigin(text),
    'must be public, or origins such as https://media.example, without user and password, with commas between',
  ),
  TABIR_EXCHANGES_FILE: text('must be the path of a file').optional(),
  TABIR_API_KEY: z.string().regex(/^\S+$/, 'must be an API key').optional(), // the command line's, for what it asks of a running api
  TABIR_CORS_ORIGINS: listOf(
    (text) => isOrigin(text) && new URL(text).origin === text,
    'must be origins such as https://tools.example, with commas between',
  ),
  TABIR_TRUST_PROXY: z
    .string()
    .transform((text) => (text.trim() === 'none' ? [] : text.split(',').map((part) => part.trim())))
    .refine(
      (parts) => parts.every(isProxyNetwork),
      'must be addresses or networks of proxies, with commas between and none so wide that strangers are in it, or none',
    )
    .optional(),
  TABIR_TLS_CERT: text('must be the path of a file with certificates in PEM').optional(),
  TABIR_TLS_KEY: text('must be the path of a file with a private key in PEM').optional(),
  TABIR_EXPOSURE: z.enum(['private', 'public'], { error: 'must be private or public' }).default('private'),
  TABIR_FEED_DELAY_MINUTES: wholeNumber(0, 1440).default(FEED_DELAY.maxMs / MINUTE_MS),
  TABIR_PROBING: z.enum(PROBING_MODES, { error: `must be one of ${PROBING_MODES.join(', ')}` }).optional(),
  TABIR_MAX_QUERIES_PER_ORG_PER_DAY: wholeNumber(0, 1_000_000_000_000).default(0),
  TABIR_TRACES_URL: z
    .string()
    .regex(/^https?:\/\/[^\s@]+$/, 'must be the address of an OTLP collector, such as http://127.0.0.1:4318/v1/traces')
    .optional(),
  TABIR_LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
      error: 'must be fatal, error, warn, info, debug, trace or silent',
    })
    .default('info'),
  TABIR_ENV: z
    .string()
    .regex(/^[a-z]{2,8}$/, 'must be 2 to 8 lowercase letters')
    .default('live'),
})

const USUAL_IN_FLIGHT_BYTES = 256 * MiB

const Settings = Variables.refine((e) => e.REDIS_URL === undefined || e.REDIS_SOCKET === undefined, {
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
    sealKeys: e.TABIR_SEAL_KEYS,
    sealKeyFile: e.TABIR_SEAL_KEY_FILE,
    withdrawalsDir: e.TABIR_WITHDRAWALS_DIR,
    snapshotEveryS: e.TABIR_SNAPSHOT_EVERY_S,
    caseRetentionDays: e.TABIR_CASE_RETENTION_DAYS,
    eraseEveryS: e.TABIR_ERASE_EVERY_S,
    maxImagesPerCase: e.TABIR_MAX_IMAGES_PER_CASE,
    maxImagesPerNewCase: e.TABIR_MAX_IMAGES_PER_NEW_CASE ?? OF_EXPOSURE[e.TABIR_EXPOSURE].maxImagesPerNewCase,
    maxSignalsPerOrgPerDay: e.TABIR_MAX_SIGNALS_PER_ORG_PER_DAY,
    maxWatchesPerOrg: e.TABIR_MAX_WATCHES_PER_ORG,
    proofRounds: e.TABIR_PROOF_ROUNDS ?? OF_EXPOSURE[e.TABIR_EXPOSURE].proofRounds,
    extendedProtection: e.TABIR_EXTENDED_PROTECTION,
    pageExitUrl: e.TABIR_PAGE_EXIT_URL,
    country: e.TABIR_COUNTRY,
    contactName: e.TABIR_CONTACT_NAME,
    contactLink: e.TABIR_CONTACT_LINK,
    webhookOrigins: new Set(e.TABIR_WEBHOOK_ORIGINS.map((origin) => new URL(origin).origin)),
    fetchFrom: fetchFrom(e.TABIR_FETCH_FROM),
    exchangesFile: e.TABIR_EXCHANGES_FILE,
    apiKey: e.TABIR_API_KEY,
    corsOrigins: e.TABIR_CORS_ORIGINS,
    trustedProxies: e.TABIR_TRUST_PROXY,
    tlsFiles:
      e.TABIR_TLS_CERT === undefined || e.TABIR_TLS_KEY === undefined
        ? undefined
        : { cert: e.TABIR_TLS_CERT, key: e.TABIR_TLS_KEY },
    exposure: e.TABIR_EXPOSURE,
    feedDelay: { ...FEED_DELAY, maxMs: e.TABIR_FEED_DELAY_MINUTES * MINUTE_MS },
    probing: e.TABIR_PROBING ?? (e.TABIR_EXPOSURE === 'public' ? ('suspend' as const) : ('tell' as const)),
    maxQueriesPerOrgPerDay: e.TABIR_MAX_QUERIES_PER_ORG_PER_DAY,
    tracesUrl: e.TABIR_TRACES_URL,
    logLevel: e.TABIR_LOG_LEVEL,
    env: e.TABIR_ENV,
  }))

export type Config = Readonly<z.infer<typeof Settings>>
export type Environment = Readonly<Record<string, string | undefined>>

/** A process of the service. */
export type Part = 'api' | 'workers' | 'messenger'

type Variable = keyof z.infer<typeof Variables>

/** Who is given which variable. A part that reads strangers' pictures gets no key: what it does not know, it cannot lose. */
const givenTo: Record<Part, readonly Variable[]> = {
  api: [
    'TABIR_HOST',
    'TABIR_PORT',
    'TABIR_DATA_DIR',
    'TABIR_HANDOFF_HOST',
    'TABIR_HANDOFF_PORT',
    'TABIR_HANDOFF_TLS_CERT',
    'TABIR_HANDOFF_TLS_KEY',
    'TABIR_MAX_IMAGE_BYTES',
    'TABIR_MAX_IMAGES_PER_REQUEST',
    'TABIR_MAX_INFLIGHT_BYTES',
    'TABIR_SEAL_KEYS',
    'TABIR_SEAL_KEY_FILE',
    'TABIR_WITHDRAWALS_DIR',
    'TABIR_SNAPSHOT_EVERY_S',
    'TABIR_CASE_RETENTION_DAYS',
    'TABIR_MAX_IMAGES_PER_CASE',
    'TABIR_MAX_IMAGES_PER_NEW_CASE',
    'TABIR_MAX_SIGNALS_PER_ORG_PER_DAY',
    'TABIR_MAX_WATCHES_PER_ORG',
    'TABIR_PROOF_ROUNDS',
    'TABIR_EXTENDED_PROTECTION',
    'TABIR_COUNTRY',
    'TABIR_PAGE_EXIT_URL',
    'TABIR_CONTACT_NAME',
    'TABIR_CONTACT_LINK',
    'TABIR_CORS_ORIGINS',
    'TABIR_TRUST_PROXY',
    'TABIR_TLS_CERT',
    'TABIR_TLS_KEY',
    'TABIR_EXPOSURE',
    'TABIR_FEED_DELAY_MINUTES',
    'TABIR_PROBING',
    'TABIR_MAX_QUERIES_PER_ORG_PER_DAY',
    'TABIR_WEBHOOK_ORIGINS',
    'TABIR_FETCH_FROM',
    'TABIR_EXCHANGES_FILE',
    'TABIR_TRACES_URL',
    'TABIR_LOG_LEVEL',
    'TABIR_ENV',
  ],
  workers: [
    // Names of folders and files alone: what decodes must not reach them.
    'TABIR_DATA_DIR',
    'TABIR_SEAL_KEY_FILE',
    'TABIR_WITHDRAWALS_DIR',
    'TABIR_EXCHANGES_FILE',
    'TABIR_TLS_CERT',
    'TABIR_TLS_KEY',
    'TABIR_HANDOFF_TLS_CERT',
    'TABIR_HANDOFF_TLS_KEY',
    'TABIR_HANDOFF_CA',
    'TABIR_MAX_IMAGE_BYTES',
    'TABIR_HASHERS',
    'TABIR_HASHER_MEMORY_MB',
    'TABIR_ERASE_EVERY_S',
    'TABIR_TRACES_URL',
    'TABIR_LOG_LEVEL',
    'TABIR_ENV',
  ],
  messenger: [
    'TABIR_DATA_DIR',
    'TABIR_SEAL_KEYS',
    'TABIR_SEAL_KEY_FILE',
    'TABIR_WEBHOOK_ORIGINS',
    'TABIR_LOG_LEVEL',
    'TABIR_ENV',
  ],
}

/** What Node itself, its TLS and its temporary files look at. */
const systemVariable =
  /^(PATH|HOME|TMPDIR|TZ|LANG|LC_\w+|NODE_(ENV|OPTIONS|EXTRA_CA_CERTS|V8_COVERAGE)|UV_THREADPOOL_SIZE|SSL_CERT_(FILE|DIR))$/

/**
 * Reads the settings.
 *
 * A variable that is set to nothing counts as not set: compose files and CI systems cannot leave one out.
 *
 * @throws {Error} naming every wrong variable with a reason, and no value: REDIS_URL and TABIR_SEAL_KEYS are secrets.
 */
export function readConfig(env: Environment = process.env): Config {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''))
  const settings = Settings.safeParse(given)
  if (settings.success) return settings.data
  const wrong = settings.error.issues.map(({ path, message }) => `  ${path.join('.')} ${message}`)
  throw new Error(['These environment variables cannot be used:', ...wrong].join('\n'))
}

/** The environment of one part: what it needs of `env`, and the Redis that was opened for it. */
export function environmentFor(
  part: Part,
  redis: { readonly url?: string; readonly socket?: string },
  env: Environment = process.env,
): Environment {
  const names: readonly string[] = givenTo[part]
  return {
    ...Object.fromEntries(Object.entries(env).filter(([name]) => systemVariable.test(name) || names.includes(name))),
    ...(redis.url !== undefined && { REDIS_URL: redis.url }),
    ...(redis.socket !== undefined && { REDIS_SOCKET: redis.socket }),
  }
}

/** Origins that are written down may be anywhere; `public` is the rest of the public internet. `undefined`: nothing is fetched. */
function fetchFrom(parts: readonly string[]) {
  if (parts.length === 0) return undefined
  const origins = parts.filter((part) => part !== 'public').map((part) => new URL(part).origin)
  return { reach: parts.includes('public') ? ('public' as const) : ('trusted' as const), trusted: new Set(origins) }
}

/** An origin is scheme, host and port. A longer address is refused, because the rest, a password for example, would be ignored. */
function isOrigin(text: string): boolean {
  return /^https?:\/\/[^\s/?#@*\\]+$/.test(text) && URL.canParse(text)
}

function text(reason: string) {
  return z.string().regex(/\S/, reason)
}

function listOf(isOne: (text: string) => boolean, reason: string) {
  return z
    .string()
    .transform((text) => text.split(',').map((part) => part.trim()))
    .refine((parts) => parts.every(isOne), reason)
    .default([])
}

function wholeNumber(min: number, max: number) {
  const reason = `must be a whole number from ${min} to ${max}`
  return z
    .string()
    .regex(/^\d{1,15}$/, reason)
    .transform(Number)
    .pipe(z.number().min(min, reason).max(max, reason))
}
